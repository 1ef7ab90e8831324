"""Job titles of several languages: how senior, and of which part of a company."""

import duckdb
import pytest

from leadlight.features.titles import job_function_sql, seniority_sql


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize(
    ("title", "seniority", "function"),
    [
        ("Vice President, Marketing", "vice president", "marketing"),
        ("SVP Sales", "vice president", "sales"),
        ("President", "C-level", "general management"),
        ("CEO & Co-Founder", "C-level", "general management"),
        ("Chief Information Security Officer", "C-level", "information technology"),
        ("Executive Assistant to the CEO", "assistant", "general management"),
        ("Head of IT", "director", "information technology"),
        ("Marketing Manager", "manager", "marketing"),
        ("Account Executive", "specialist", "sales"),
        ("Sr. Data Engineer", "specialist", "information technology"),
        ("Junior Buyer", "junior", "purchasing"),
        ("Student", "student", "education"),
        ("Intern, Finance", "student", "finance"),
        ("Owner", "owner", "general management"),
        ("HEAD OF PEOPLE", "director", "human resources"),
        ("Managing Director", "C-level", "general management"),
        ("Customer Success Manager", "manager", "customer service"),
        ("Technical Support Engineer", "specialist", "customer service"),
        ("Demand Generation Lead", "manager", "marketing"),
        ("VP Revenue Operations", "vice president", "sales"),
        ("Supply Chain Analyst", "specialist", "operations"),
        ("Procurement Specialist", "specialist", "purchasing"),
        ("General Counsel", None, "legal"),
        ("Office Manager", "manager", "administration"),
        ("Facilities Coordinator", "junior", "administration"),
        # short forms, as people write them
        ("Sr. Marketing Mgr.", "manager", "marketing"),
        ("Sr. Accountant", "specialist", "finance"),
        ("Jr. Buyer", "junior", "purchasing"),
        ("Asst. Controller", "junior", "finance"),
        ("Dir. of Mktg", "director", "marketing"),
        ("SDR", None, "sales"),
        # German
        ("Geschäftsführerin", "C-level", "general management"),
        ("IT-Leiter", "director", "information technology"),
        ("Vertriebsleiter", "director", "sales"),
        ("Leiter Einkauf", "director", "purchasing"),
        ("Werkstudent Vertrieb", "student", "sales"),
        ("Praktikantin Marketing", "student", "marketing"),
        ("Softwareentwickler", None, None),
        ("Entwickler", "specialist", "information technology"),
        ("Assistentin der Geschäftsführung", "assistant", "general management"),
        ("Inhaber", "owner", "general management"),
        ("Personalleiterin", "director", "human resources"),
        ("Leiterin Kundenservice", "director", "customer service"),
        ("Syndikusrechtsanwältin", None, "legal"),
        ("Rechtsanwalt", None, "legal"),
        ("Verwaltungsleiter", "director", "administration"),
        ("Leitung Verwaltung", "director", "administration"),
        # French
        ("Directeur Général", "C-level", "general management"),
        ("Directrice marketing", "director", "marketing"),
        ("Responsable des achats", "manager", "purchasing"),
        ("Stagiaire", "student", None),
        ("Chef de service informatique", "director", "information technology"),
        ("Gérante", "owner", "general management"),
        # Spanish
        ("Director de Ventas", "director", "sales"),
        ("Jefa de compras", "director", "purchasing"),
        ("Consejero delegado", "C-level", None),
        ("Becaria de finanzas", "student", "finance"),
        ("Analista de sistemas", "specialist", "information technology"),
        # Italian
        ("Responsabile acquisti", "manager", "purchasing"),
        ("Amministratore delegato", "C-level", "general management"),
        ("Stagista", "student", None),
        ("Direttrice vendite", "director", "sales"),
        # Portuguese
        ("Diretor de Vendas", "director", "sales"),
        ("Estagiário", "student", None),
        ("Gerente de compras", "manager", "purchasing"),
        # Dutch
        ("Hoofd inkoop", "director", "purchasing"),
        ("Algemeen directeur", "C-level", "general management"),
        ("Eigenaar", "owner", "general management"),
        # unknown stays unknown
        ("Kapitän", None, None),
        ("mago", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_title_speaks_of_seniority_and_function(connection, title, seniority, function):
    query = f"SELECT {seniority_sql('t')}, {job_function_sql('t')} FROM (SELECT ?::VARCHAR AS t)"
    assert connection.execute(query, [title]).fetchone() == (seniority, function)
