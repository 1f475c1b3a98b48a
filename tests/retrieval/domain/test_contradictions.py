"""Pairs of sentences that contradict each other, and pairs that only look like it."""

import pytest

from retrieval.domain.contradictions import contradiction
from retrieval.domain.statements import statement

LEAVE = "How many days of annual leave do employees get?"
NOTICE = "How long is the notice period?"
UNIT = "How heavy is the unit?"
APPROVAL = "Is approval required?"
APPROVED = "Who approved the budget?"

CONTRADICT = [
    (LEAVE, "Employees get 30 days of annual leave.", "Employees get 25 days of annual leave."),
    (LEAVE, "Every employee is entitled to 30 days of annual leave.", "Annual leave for employees is 25 days per year."),
    (LEAVE, "Employees get thirty days of annual leave.", "Employees get 25 days of annual leave."),
    (LEAVE, "Employees get six weeks of annual leave.", "Employees get 25 days of annual leave."),
    ("What is the mileage rate?", "The mileage rate is 45 pence per mile.", "The mileage rate is 40 pence per mile."),
    ("What is the limit?", "The limit per night is £120.", "The limit per night is £ 150."),
    ("What does it cost?", "The service costs 30 EUR per month.", "The service costs €35 per month."),
    ("What was the revenue?", "The revenue was 2.5 million dollars.", "The revenue was $3.1 million."),
    ("What is the VAT rate?", "The VAT rate is 19 %.", "The VAT rate is 16 percent."),
    (NOTICE, "The notice period is at least 30 days.", "The notice period is at least 14 days."),
    (NOTICE, "The notice period is up to 30 days.", "The notice period is 8 weeks."),
    (NOTICE, "The notice period is between 20 and 30 days.", "The notice period is 14 days."),
    (NOTICE, "The notice period is about 30 days.", "The notice period is 60 days."),
    ("How long are backups kept?", "Backups are kept for 2 weeks.", "Backups are kept for 30 days."),
    ("What is the password length?", "Passwords must have at least 12 characters.", "Passwords must have at least 8 characters."),
    ("When is the rope set replaced?", "The rope set is replaced after 6,000 cycles.", "Replace the rope set after 4,000 cycles."),
    (UNIT, "The unit weighs 3 kg.", "The unit weighs 3.5 kg."),
    (UNIT, "The unit weighs 3 kg.", "The unit weighs 2,000 g."),
    ("How tall is the mast?", "The mast is 12 m tall.", "The mast is 15 metres tall."),
    ("When does the facility end?", "The facility ends on 30 September 2027.", "The facility ends on 31 March 2028."),
    ("When does the facility end?", "The facility ends on 2027-09-30.", "The facility ends on September 29, 2027."),
    ("When was the company founded?", "The company was founded in 1998.", "The company was founded in 1996."),
    ("What time does the office open?", "The office opens at 8:00 am.", "The office opens at 9:00 am."),
    ("What time does it open?", "The office opens at 8 am and closes at 6 pm.", "The office opens at 9 am and closes at 6 pm."),
    ("How many people work in Berlin?", "In Berlin 40 people work in sales.", "In Berlin 25 people work in sales."),
    ("May visitors take photographs?", "Visitors are allowed to take photographs.", "Visitors are not allowed to take photographs."),
    ("May visitors take photographs?", "Photography is allowed in the workshop.", "Photography is forbidden in the workshop."),
    ("Can I work from home?", "Staff may work from home on Fridays.", "Staff may not work from home on Fridays."),
    ("Can I work from home?", "Staff can work from home.", "Staff can't work from home."),
    (APPROVAL, "Approval is required for every purchase.", "Approval is optional for every purchase."),
    (APPROVAL, "No approval is required for small purchases.", "Approval is required for small purchases."),
    (APPROVAL, "Approval is always required here.", "Approval is never required here."),
    ("Is the drug effective?", "The drug increases blood pressure in adults.", "The drug decreases blood pressure in adults."),
    ("Are cookies enabled?", "Cookies are enabled by default.", "Cookies are disabled by default."),
    ("Is the form filed before or after?", "The form is filed before the audit starts.", "The form is filed after the audit starts."),
    (APPROVED, "The budget was approved by Mara Lind.", "The budget was approved by Tobias Frey."),
    (APPROVED, "Mara Lind approved the budget in 2026.", "Tobias Frey approved the budget in 2026."),
    ("Where is the archive?", "The archive is located in Hamburg.", "The archive is located in Bremen."),
    ("Who is the supplier?", "Bearings are bought from Acme Ltd.", "Bearings are bought from Borealis Ltd."),
]

AGREE = [
    ("How long may a claim take?", "Claims are settled within 90 minutes.", "Claims are settled within 1.5 hours."),
    (LEAVE, "Employees get thirty days of annual leave.", "Employees get 30 days of annual leave."),
    (NOTICE, "The notice period is between 20 and 30 days.", "The notice period is 25 days."),
    (NOTICE, "The notice period is 20 to 30 days.", "The notice period is 30-40 days."),
    (NOTICE, "The notice period is up to 30 days.", "The notice period is 25 days."),
    (NOTICE, "The notice period is at least 30 days.", "The notice period is 45 days."),
    (NOTICE, "The notice period is about 30 days.", "The notice period is 31 days."),
    (NOTICE, "The notice period in Germany is 30 days.", "The notice period in France is 14 days."),
    (NOTICE, "In Germany the notice period is 30 days.", "The notice period is 14 days for France."),
    (NOTICE, "The notice period for managers is 30 days.", "The notice period for apprentices is 14 days."),
    ("How long are backups kept?", "Backups are kept for 2 weeks.", "Backups are kept for 14 days."),
    ("How long does the review take?", "The first review takes 5 days.", "The second review takes 10 days."),
    ("How long does the review take?", "Reviews usually take 5 working days.", "Reviews usually take one week."),
    ("How far is it?", "The depot is 25 miles from the port.", "The depot is 40 km from the port."),
    ("What is the rate?", "In 2025 the rate was 40 pence per mile.", "In 2026 the rate is 45 pence per mile."),
    ("What is the rate?", "In 2025 the rate is 40 pence per mile.", "In 2026 the rate is 40 pence per mile."),
    ("What is the limit?", "The limit per night is £120 in London.", "The limit per night is £95 elsewhere."),
    ("What is the limit?", "Section 4 sets a limit of £95.", "Section 5 sets a limit of £120."),
    ("What is the VAT rate?", "The VAT rate is 19 %.", "The VAT rate is 19 percent."),
    ("What does it cost?", "The service costs 30 EUR per month.", "The service costs 360 EUR per year."),
    ("When is the rope set replaced?", "The rope set HB-7731-02 lasts 6,000 cycles.", "The rope set HB-7731-03 lasts 4,000 cycles."),
    ("When does the facility end?", "The facility ends on 30 September 2027.", "The facility ends in September 2027."),
    ("When was it signed?", "The treaty was signed on 7 January.", "The treaty was signed on 7 January 1943."),
    ("What was signed?", "The lease was signed in 1998.", "The lease was signed in 2008."),
    (UNIT, "The unit weighs 3 kg.", "The unit weighs 3,000 g."),
    (UNIT, "The unit weighs about 3 kg.", "The unit weighs 3.1 kg."),
    (UNIT, "The unit weighs 3.1 kg.", "The unit weighs 3.14 kg."),
    (UNIT, "The unit weighs 3 kg and needs 5 litres.", "The unit weighs 4 kg and needs 6 litres."),
    (UNIT, "The unit weighs 3 kg.", "The unit weighs 3 kg and needs 5 litres."),
    ("What time does the office open?", "The office opens at 9 am.", "The office opens at 09:00."),
    ("Who signed the treaty?", "The treaty was signed by France and Spain.", "The treaty was signed by France and Italy."),
    (APPROVED, "The budget was approved by Mara Lind.", "The budget was reviewed by Tobias Frey."),
    ("Who leads the team?", "The team is led by Dr. Ines Roth.", "The team is led by Ines Roth."),
    ("How is the budget approved?", "The budget was approved by Mara Lind.", "The budget was approved by Tobias Frey."),
    ("What did Mara Lind approve?", "The budget was approved by Mara Lind.", "The budget was approved by Tobias Frey."),
    ("How many people work in Berlin?", "In Berlin 40 people work in sales.", "In Berlin 25 people work in support."),
    ("Can I work from home?", "Staff may work from home on Fridays.", "Staff may work from home on Mondays."),
    (APPROVAL, "No approval is required under 100 EUR.", "Approval is required over 100 EUR."),
    (APPROVAL, "Approval is not optional here.", "Approval is required here."),
    (APPROVAL, "Approval is required for visits.", "Payment is optional for visits."),
    ("Is it safe?", "The ladder is safe when dry.", "The ladder is not safe when wet."),
]


@pytest.mark.parametrize(("question", "one", "other"), CONTRADICT)
def test_a_contradiction_is_found_whichever_side_comes_first(question: str, one: str, other: str):
    assert contradiction(question, statement(one), statement(other))
    assert contradiction(question, statement(other), statement(one))


@pytest.mark.parametrize(("question", "one", "other"), AGREE)
def test_what_can_both_be_true_is_no_contradiction(question: str, one: str, other: str):
    assert contradiction(question, statement(one), statement(other)) == ""
    assert contradiction(question, statement(other), statement(one)) == ""


@pytest.mark.parametrize(("question", "one", "other"), [*CONTRADICT, *AGREE])
def test_a_sentence_does_not_contradict_itself(question: str, one: str, other: str):
    for said in (one, other):
        assert contradiction(question, statement(said), statement(said)) == ""


@pytest.mark.parametrize(
    ("one", "other", "about"),
    [
        ("Employees get 30 days of annual leave.", "Employees get 25 days of annual leave.", "30 days / 25 days"),
        ("The budget was approved by Mara Lind.", "The budget was approved by Tobias Frey.", "Mara Lind / Tobias Frey"),
        ("Photography is allowed in the workshop.", "Photography is forbidden in the workshop.", "allow / forbidden"),
        ("Visitors may park here.", "Visitors may not park here.", "not"),
    ],
)
def test_it_says_what_the_two_differ_in(one: str, other: str, about: str):
    assert contradiction("Who may, and how many days?", statement(one), statement(other)) == about
