"""The `mailbox` connector: what messages are called, who reads them, and servers that cannot be trusted."""

import pytest

from pipelines.connectors.port import FileRefused
from retrieval.domain.documents import Gone, NotModified
from retrieval.domain.errors import InvalidInput, SourceUnavailable
from retrieval.domain.permissions import NOBODY, AccessPolicy
from tests.pipelines.connectors.folders import keys, listed
from tests.pipelines.connectors.worlds.mail import VARIABLE, ImapAccount, MaildirFolder, MboxFile, message


@pytest.fixture(params=[MboxFile, MaildirFolder, ImapAccount], ids=lambda world: world.__name__)
def world(request, tmp_path):
    yield from _opened(request.param(tmp_path, request))


@pytest.fixture
def mbox(request, tmp_path):
    yield from _opened(MboxFile(tmp_path, request))


@pytest.fixture
def maildir(request, tmp_path):
    yield from _opened(MaildirFolder(tmp_path, request))


@pytest.fixture
def imap(request, tmp_path):
    yield from _opened(ImapAccount(tmp_path, request))


def _opened(world):
    yield world
    for connector in world.connectors:
        connector.close()
    world.close()


def add(world, content: bytes, name: str) -> None:
    """A message as it is, however it is malformed."""
    if isinstance(world, MboxFile):
        world.messages[name] = content
        world._write()
    elif isinstance(world, MaildirFolder):
        (world.root / "new" / f"{name}.host").write_bytes(content)
    else:
        world.server.add(content)


@pytest.mark.permissions
def test_who_wrote_or_received_a_message_reads_it_where_the_source_says_so(world):
    add(
        world,
        message("1", "x", From="Ann <ANN@example.com>", To='"B, ob" <bob@example.com>, eve@else.org', Cc="cy@sub.example.com"),
        "1",
    )
    add(world, message("2", "x", From="eve@elsewhere.org", To="mallory@example.com.evil.org, m@notexample.com"), "2")
    add(world, message("3", "x", To="we|ird@example.com, a b@example.com, @example.com"), "3")
    world.location["participants"] = ("Example.com", "sub.example.com")

    policies = [file.policy for file in world.connect({"**": ["everyone"]}).list()]

    assert policies == [AccessPolicy.of(["user:ann", "user:bob", "user:cy"]), NOBODY, AccessPolicy.of(["user:ann"])]
    del world.location["participants"]
    assert {file.policy for file in world.connect({"**": ["everyone"]}).list()} == {AccessPolicy.of(["everyone"])}


def test_another_message_under_the_same_id_takes_no_others_place(world):
    """Anybody can send a message with the id of one that is there."""
    add(world, message("deal", "the true terms"), "1")
    before = [file.key for file in world.connect().list()]
    add(world, message("deal", "forged terms", Subject="Something else"), "2")
    connector = world.connect()

    files = list(connector.list())

    texts = {file.key: connector.fetch(file, known=None).content for file in files}
    assert len(files) == 2
    assert b"the true terms" in texts[before[0]]
    assert b"forged terms" in next(text for key, text in texts.items() if key != before[0])


def test_messages_without_an_id_or_with_a_hostile_one_have_keys_all_the_same(world):
    add(world, b"Subject: no id\n\nfirst\n", "1")
    add(world, b"Message-ID: <../../etc/passwd>\nSubject: a path\n\nsecond\n", "2")
    add(world, b"Message-ID: <" + b"x" * 900 + b"@example.com>\nSubject: long\n\nthird\n", "3")
    add(world, b"Message-ID: <folded\n @example.com>\nDate: no date\nFrom: \xff\xfe\n\nfourth\n", "4")
    connector = world.connect()

    texts = {file.key.rpartition("/")[2]: connector.fetch(file, known=None).content for file in connector.list()}

    named = sorted(key for key in texts if not key.startswith("without-id-"))
    assert named == ["%2E.%2F..%2Fetc%2Fpasswd.eml", "folded@example.com.eml"]
    assert len(texts) == 4
    assert b"second" in texts[named[0]]
    assert keys(world.connect()) == keys(connector)


def test_the_text_of_an_mbox_is_as_it_was_sent(mbox):
    body = "Dear Bob,\n\n>From here on nothing is quoted.\n>>From there it is.\nFrom within a paragraph.\n"
    add(mbox, message("1", body), "1")
    add(mbox, message("2", "the second\n\n\n"), "2")
    connector = mbox.connect()

    first, second = (connector.fetch(file, known=None).content for file in connector.list())

    assert b"\nFrom here on" in first
    assert b"\n>From there" in first
    assert b"\nFrom within" in first
    assert second.endswith(b"the second\n")


def test_messages_that_are_appended_leave_those_before_as_they_were(mbox):
    add(mbox, message("1", "first\n\n"), "1")
    before = listed(mbox.connect(), mbox.key("1")).fingerprint

    add(mbox, message("2", "second"), "2")

    assert listed(mbox.connect(), mbox.key("1")).fingerprint == before


@pytest.mark.parametrize("content", [b"no mailbox at all\n", b"\x00\x01", b"\n\nFrom later\n"])
def test_a_file_that_is_no_mbox_is_said_to_be_none(mbox, content):
    mbox.path.write_bytes(content)

    if content.startswith(b"\n"):
        assert mbox.connect().probe().problem == "not an mbox file: it does not start with 'From '"
    else:
        with pytest.raises(SourceUnavailable, match="not an mbox file"):
            list(mbox.connect().list())


def test_an_empty_mbox_holds_nothing(mbox):
    assert keys(mbox.connect()) == []


def test_reading_and_filing_a_message_in_a_maildir_fetches_nothing(maildir):
    maildir.put("a", "text")
    first = maildir.connect()
    file = listed(first, maildir.key("a"))
    known = first.fetch(file, known=None).validator
    path = maildir._path("a")
    moved = path.rename(maildir.root / "cur" / f"{path.name}:2,RS")
    later = maildir.connect()

    assert listed(later, maildir.key("a")) == file
    assert later.fetch(file, known=known) == NotModified()
    moved.rename(maildir.root / "cur" / f"{path.name}:2,ST")
    assert keys(maildir.connect()) == [], "what is in the bin is deleted"


def test_folders_of_a_maildir_are_folders_of_keys_and_links_are_not_followed(maildir, tmp_path):
    maildir.put("a", "text")
    (maildir.root / ".Sub" / "new" / "1.host").write_bytes(message("b", "below"))
    (tmp_path / "secret").write_bytes(message("secret", "outside"))
    (maildir.root / "new" / "2.host").symlink_to(tmp_path / "secret")

    connector = maildir.connect()

    assert keys(connector) == ["a@example.com.eml", "Sub/b@example.com.eml"]
    file = listed(connector, "a@example.com.eml")
    for uri in ("file:///etc/passwd", f"{file.uri.partition('#')[0]}#..%2F..%2Fetc/passwd", f"{file.uri.partition('#')[0]}#../x"):
        try:
            assert connector.fetch(type(file)(file.key, uri), known=None) == Gone()
        except FileRefused:
            continue


def test_folders_on_a_server_are_those_that_are_named(imap):
    imap.server.add(message("1", "x"), "INBOX")
    imap.server.add(message("2", "x"), 'Archive/"old" 2026')
    imap.server.add(message("3", "x"), "Private")
    imap.location["folders"] = ("INBOX", 'Archive/"old" 2026')

    assert keys(imap.connect()) == ["INBOX/1@example.com.eml", "Archive/%22old%22%202026/2@example.com.eml"]
    imap.location["folders"] = "Nope"
    assert imap.connect().probe().problem == "there is no such folder in the mailbox, or it may not be read"


def test_a_folder_that_is_numbered_anew_is_read_again_and_never_mixed_up(imap):
    imap.put("a", "text")
    connector = imap.connect()
    file = listed(connector, imap.key("a"))
    before = connector.fetch(file, known=None)

    imap.server.validity = 2
    later = imap.connect()
    after = listed(later, imap.key("a"))

    assert after.fingerprint != file.fingerprint
    assert later.fetch(after, known=before.validator).content == before.content
    with pytest.raises(FileRefused, match="numbered the folder anew") as refused:
        imap.connect().fetch(file, known=None)
    assert refused.value.rejection.retryable


def test_a_message_that_the_server_leaves_out_breaks_the_listing(imap):
    imap.put("a", "text")
    imap.put("b", "text")
    imap.server.left_out.add(1)

    with pytest.raises(SourceUnavailable, match="removed while the mailbox was listed"):
        list(imap.connect().list())


def test_nothing_is_changed_on_the_server(imap):
    imap.put("a", "text")
    connector = imap.connect()
    connector.fetch(listed(connector, imap.key("a")), known=None)

    assert {command.split()[0] for command in imap.server.commands} <= {"CAPABILITY", "LOGIN", "EXAMINE", "UID"}
    assert not [command for command in imap.server.commands if "BODY[" in command or "STORE" in command]


@pytest.mark.parametrize(
    ("settings", "environment", "problem"),
    [
        ({"private_source_hosts": ""}, None, "private_source_hosts"),
        ({"source_ca_file": ""}, None, "certificate"),
        ({}, "another password", "does not take the login and password"),
    ],
)
def test_a_server_that_may_not_be_reached_or_trusted_is_refused_in_words(imap, monkeypatch, settings, environment, problem):
    if environment:
        monkeypatch.setenv(VARIABLE, environment)

    told = imap.connect(**settings).probe().problem

    assert problem in told
    assert environment is None or environment not in told
    if not environment:
        assert imap.server.commands == [], "nothing was sent"


def test_a_server_cannot_make_us_hold_more_than_a_message_may_be(imap):
    imap.put("a", "text")
    imap.server.claims_bytes = 10**12

    with pytest.raises(SourceUnavailable, match="breaks off or is not understood"):
        list(imap.connect().list())


@pytest.mark.parametrize(
    ("location", "field"),
    [
        ({"mailbox": "imap://mail.example"}, "mailbox"),
        ({"mailbox": "imaps://dana:open-sesame@mail.example"}, "mailbox"),
        ({"mailbox": "imaps://mail.example/INBOX"}, "mailbox"),
        ({"mailbox": "relative/box"}, "mailbox"),
        ({"mailbox": "imaps://mail.example", "login": ""}, "login"),
        ({"mailbox": "imaps://mail.example", "password": ""}, "password"),
        ({"mailbox": "imaps://mail.example", "password": "open-sesame"}, "password"),
        ({"mailbox": "imaps://mail.example", "folders": "IN\r\nBOX"}, "folders"),
        ({"mailbox": "/srv/box", "format": "pst"}, "format"),
    ],
)
def test_what_is_no_mailbox_is_refused_before_it_is_reached(imap, location, field):
    imap.location |= location

    with pytest.raises(InvalidInput, match=rf"location\.{field}") as refused:
        imap.connect()

    assert "open-sesame" not in str(refused.value)
