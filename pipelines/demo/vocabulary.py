"""The words of the demo world: invented companies, people, job titles, pages and assets.

Everything here is made up. Company domains end in ``.example`` (RFC 2606: never registered), and
free-mail addresses carry an underscore, which Gmail does not allow, so no address can be a
person's. Each list of weighted entries is ``(text, weight, fit points)`` where fit matters: the
points are what the world's ideal customer profile thinks of the entry.
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    """
    Aisha Alma Amara Andrea Anika Anna Arjun Astrid Ben Bianca Bruno Camille Carla Carlos Chen
    Chiara Clara Daniel David Elena Elias Emma Erik Fatima Felix Finn Freya Gabriel Greta
    Hannah Henrik Hugo Ida Ines Ingrid Ivan Jakub James Jana Jens Joana Jonas Julia Kai Karin
    Katya Kenji Lars Laura Lea Leo Lina Louis Lucia Luka Maja Marco Maria Marta Mateo Mei Mia
    Miguel Milan Mina Mira Nadia Naomi Nico Nils Nina Noah Nora Olga Oliver Omar Oscar Paula
    Pavel Petra Priya Rafael Rania Ravi Rosa Samir Sara Sofia Stefan Sven Tara Thomas Tilda
    Tomas Uma Vera Victor Yara Yusuf Zoe
    """
)

LAST_NAMES = _words(
    """
    Adler Ahmed Almeida Andersen Baker Barros Bauer Becker Berg Bianchi Brandt Braun Castro
    Chandra Costa Dahl Delgado Diaz Dubois Dupont Ebert Eriksen Evans Fabre Farouk Ferrari
    Fischer Fonseca Frank Garcia Gomez Graf Gupta Haas Hall Hansen Hartmann Hoffmann Holm
    Horvat Huang Ito Jansen Jensen Kaya Keller Khan Kim Klein Koch Kovacs Kowalski Kraus
    Krishnan Lang Larsen Laurent Lehmann Lindberg Lopez Lorenz Lund Mancini Marino Martin
    Mendes Meyer Moreau Moretti Mori Morris Nair Navarro Neumann Nguyen Nielsen Novak Nowak
    Okafor Olsen Osei Park Patel Perez Petrov Pohl Popescu Ramos Reid Ricci Richter Rossi Roth
    Roy Ruiz Sato Schmidt Schneider Scholz Seidel Sharma Silva Simon Singh Sokolov Sommer Soto
    Stein Svensson Tanaka Torres Varga Vega Vogel Wagner Walsh Weber Winter Wolf Yilmaz Young
    Zhang Ziegler
    """
)

COMPANY_STEMS = _words(
    """
    Nor Bryn Hal Cael Vald Ost West Fen Kel Tor Mar Lind Ash Eld Brev Sol Quill Rav Stel Thorn
    Umb Vel Wyn Zeph Alt Bel Corv Dun Ember Fjor Gry Hart Isen Jun Kor Lum Mon Nym Or Pel Rhen
    Sil Tarn Ul Ver Wil Yar Zan Arc Brae Cind Del Esk Fal Glen Hol Ink Kest Larch Mer
    """
)

COMPANY_ENDINGS = _words(
    """
    vale mark ford wick stone field haven bridge brook gate moor ridge shore land crest well
    worth mont dal heim berg feld tal hof see mere ton by holm gard fell dale lund vik nes
    """
)

COMPANY_KINDS = (
    "Systems", "Software", "Analytics", "Industries", "Logistics", "Foods", "Energy", "Capital",
    "Health", "Labs", "Technik", "Werke", "Media", "Retail Group", "Partners", "& Söhne",
    "& Daughters", "Robotics", "Textiles", "Mobility", "Pharma", "Consulting", "Insurance",
    "Networks",
)  # fmt: skip

COMPANY_FORMS = ("", "", "", " GmbH", " AG", " Ltd", ", Inc.", " S.A.", " B.V.", " AB", " LLC")

INDUSTRIES = (
    ("Software", 16, 0.7),
    ("Manufacturing", 13, 0.5),
    ("Financial Services", 9, 0.4),
    ("Consulting", 9, 0.3),
    ("Logistics", 7, 0.2),
    ("Healthcare", 9, 0.1),
    ("Energy", 4, 0.0),
    ("Retail", 10, -0.1),
    ("Construction", 6, -0.4),
    ("Hospitality", 6, -0.7),
    ("Public Sector", 6, -0.9),
    ("Higher Education", 5, -0.9),
)

COUNTRIES = (
    ("Germany", "EUR", 20, 0.3),
    ("United States", "USD", 18, 0.3),
    ("United Kingdom", "GBP", 12, 0.2),
    ("France", "EUR", 8, 0.1),
    ("Netherlands", "EUR", 6, 0.2),
    ("Switzerland", "EUR", 5, 0.3),
    ("Austria", "EUR", 5, 0.2),
    ("Sweden", "EUR", 4, 0.1),
    ("Spain", "EUR", 5, -0.2),
    ("Italy", "EUR", 5, -0.2),
    ("Poland", "EUR", 4, -0.2),
    ("India", "USD", 5, -0.7),
    ("Brazil", "USD", 3, -0.8),
)

LEAD_SOURCES = (
    ("ORGANIC_SEARCH", 30, 0.2),
    ("PAID_SEARCH", 16, 0.0),
    ("PAID_SOCIAL", 15, -0.4),
    ("REFERRALS", 9, 0.6),
    ("EVENTS", 9, 0.3),
    ("DIRECT_TRAFFIC", 13, 0.1),
    ("OFFLINE_IMPORT", 8, -0.6),
)

# Function of a job: weight, fit points, names it goes by.
FUNCTIONS = (
    (22, 0.9, ("Marketing", "Demand Generation", "Growth", "Brand & Communications")),
    (16, 0.6, ("Sales", "Business Development", "Revenue Operations")),
    (18, 0.2, ("IT", "Information Systems", "Engineering", "Data")),
    (14, 0.1, ("Operations", "Supply Chain", "Customer Success")),
    (12, -0.3, ("Finance", "Controlling", "Procurement")),
    (10, -0.9, ("HR", "People & Culture", "Talent Acquisition")),
    (8, -0.8, ("Office", "Facilities", "Legal")),
)

# Seniority: weight, fit points, how its titles read (`{}` is the function), share of silent people.
SENIORITIES = (
    (6, -2.0, ("{} Intern", "Working Student {}", "{} Trainee"), 0.2),
    (34, -0.5, ("{} Specialist", "{} Analyst", "{} Coordinator", "{} Associate"), 0.2),
    (30, 0.4, ("{} Manager", "Senior {} Manager", "{} Team Lead", "Sr. {} Mgr."), 0.22),
    (15, 0.9, ("Director of {}", "{} Director", "Head of {}"), 0.3),
    (9, 0.9, ("VP of {}", "Vice President {}", "SVP {}"), 0.45),
    (6, 0.6, ("Chief {} Officer", "Managing Director {}"), 0.5),
)

STUDENT_TITLES = (
    "Student", "Student", "Student", "student", "MBA Student", "PhD Student",
    "Master's Student", "Undergraduate",
)  # fmt: skip

# Number of people: lower bound, upper bound, weight, fit points.
COMPANY_SIZES = (
    (2, 9, 22, -1.2),
    (10, 49, 27, -0.2),
    (50, 249, 24, 0.7),
    (250, 999, 14, 0.8),
    (1_000, 4_999, 8, 0.2),
    (5_000, 60_000, 5, -0.4),
)

SITE = "https://www.lumenbase.example"

_SLUGS = _words(
    """
    lead-scoring-for-beginners what-is-an-mql seven-signs-of-a-warm-lead
    marketing-and-sales-at-one-table how-to-write-a-newsletter crm-hygiene-in-an-afternoon
    the-cost-of-slow-follow-up webinars-that-people-attend consent-and-privacy-basics
    five-reports-your-board-reads attribution-without-tears the-silent-majority
    a-year-of-experiments what-sales-wishes-marketing-knew nurturing-over-six-months
    benchmarks-for-b2b-email
    """
)

# Kind of page -> its paths, the most visited first.
PAGES = {
    "home": ("/", "/about"),
    "blog": tuple(
        f"/blog/{slug}"
        for slug in _SLUGS
    ),
    "product": (
        "/product", "/product/features", "/product/integrations", "/product/scoring",
        "/product/security", "/product/tour", "/solutions/manufacturing", "/solutions/software",
    ),
    "pricing": ("/pricing", "/pricing/enterprise", "/pricing?plan=team", "/pricing/compare"),
    "case_study": (
        "/customers", "/case-studies/norvale", "/case-studies/halmark-logistics",
        "/case-studies/brynford", "/case-studies/thornwick-health",
    ),
    "docs": ("/docs", "/docs/getting-started", "/docs/api", "/docs/crm-import", "/support"),
    "careers": ("/careers", "/careers/sales-development", "/careers/frontend-engineer"),
}  # fmt: skip

TRACKING = ("", "", "", "?utm_source=newsletter&utm_medium=email", "?utm_source=search&gclid=x")

ASSETS = {
    "download": (
        "Lead Scoring Guide (PDF)", "B2B Benchmark Report", "Whitepaper: From Clicks to Customers",
        "ROI Calculator (XLSX)", "Buyer's Guide", "Checklist: MQL in 10 Questions",
        "E-book: Marketing and Sales", "Industry Report Manufacturing",
    ),
    "webinar": (
        "Webinar: Scoring in Practice", "Webinar: Ask an Analyst", "Webinar: Product Tour Live",
        "Webinar: Privacy by Design", "Webinar: Customer Panel",
    ),
    "video": ("Video: Two-Minute Tour", "Video: Setup", "Video: A Customer's Story"),
    "demo": ("Demo request form",),
    "trial": ("14-day trial", "Team trial"),
    "form": ("Contact form", "Newsletter sign-up", "Pricing enquiry"),
}  # fmt: skip

CAMPAIGNS = ("newsletter", "nurture-guide", "webinar-invite", "product-news", "customer-story")

REJECTIONS = (
    "Student or researcher", "Company too small", "Not a decision maker", "Outside our industries",
    "Region not served", "No budget this year", "Could not be reached",
)  # fmt: skip

OPEN_STAGES = (
    "appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin",
    "contractsent",
)  # fmt: skip
