"""Makes the PDF documents of the tests: ordinary, unusual, damaged and hostile ones.

    pdfs.py FOLDER [NAME…]     writes FOLDER/NAME.pdf for each name; without names, for all but the large ones
    pdfs.py --list             prints the names, each with what it is

The documents are the same in each run. Hostile documents are written byte by byte, because no library would write
them; ordinary ones by reportlab, and encrypted ones by pikepdf.
"""

import io
import pathlib
import random
import sys
import zlib

DOCUMENTS = {}
LARGE = {"pages-5000", "pages-15000"}


def document(name):
    def register(make):
        DOCUMENTS[name] = make
        return make
    return register


class Raw:
    """A document of objects that are written as given, with a cross-reference table."""

    def __init__(self):
        self.objects = {}

    def add(self, body, number=None):
        number = number or len(self.objects) + 1
        self.objects[number] = body if isinstance(body, bytes) else body.encode("latin-1")
        return number

    def stream(self, data, entries="", compress=True, number=None):
        data = data if isinstance(data, bytes) else data.encode("latin-1")
        if compress:
            data, entries = zlib.compress(data, 9), f"{entries} /Filter /FlateDecode"
        return self.add(b"<< /Length %d %s >>\nstream\n" % (len(data), entries.encode()) + data + b"\nendstream", number)

    def bytes(self, root=1, trailer=""):
        out = io.BytesIO()
        out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        places = {}
        for number, body in self.objects.items():
            places[number] = out.tell()
            out.write(b"%d 0 obj\n" % number + body + b"\nendobj\n")
        start, size = out.tell(), max(self.objects) + 1
        out.write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
        for number in range(1, size):
            place = places.get(number)
            out.write(b"%010d 00000 n \n" % place if place is not None else b"0000000000 00000 f \n")
        out.write(b"trailer\n<< /Size %d /Root %d 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, root, trailer.encode(), start))
        return out.getvalue()


FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def simple(contents, count=None, resources="", font=FONT, extra=None, page_entries="", box="595 842"):
    """A document with a page for each of the contents. Object 1 is the catalog, 2 the page tree, 3 the font."""
    raw = Raw()
    raw.add("<< /Type /Catalog /Pages 2 0 R >>", 1)
    raw.add("", 2)
    raw.add(font, 3)
    for number, body in (extra or {}).items():
        raw.add(body, number)
    pages = []
    for content in contents:
        stream = raw.stream(content)
        pages.append(raw.add(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {box}] {page_entries} "
            f"/Resources << /Font << /F 3 0 R >> {resources} >> /Contents {stream} 0 R >>"))
    kids = " ".join(f"{page} 0 R" for page in pages)
    raw.add(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages) if count is None else count} >>", 2)
    return raw


def text(lines, size=9):
    shown = "".join(f"({line}) '\n" for line in lines)
    return f"BT /F {size} Tf 50 800 Td {size + 2} TL\n{shown}ET"


def words(seed, count):
    chosen = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ["".join(chosen.choices(letters, k=chosen.randint(2, 10))) for _ in range(count)]


VOCABULARY = words("vocabulary", 20_000)


def page_of_text(number):
    """About 4.6 KB of text; the words `page` and `number…` make each page findable."""
    chosen = random.Random(number)
    lines = [f"page number{number}"]
    lines += [" ".join(chosen.choices(VOCABULARY, k=12)) for _ in range(55)]
    return text(lines)


def many(count):
    return simple(page_of_text(number) for number in range(1, count + 1)).bytes()


@document("one-page")
def one_page():
    """One page of text."""
    return simple([text(["The quarterly report", "shows a surplus of apples."])]).bytes()


for count in (12, 500, 5_000, 15_000):
    DOCUMENTS[f"pages-{count}"] = lambda count=count: many(count)
    DOCUMENTS[f"pages-{count}"].__doc__ = f"{count} pages of text."


@document("no-text-on-a-page")
def no_text_on_a_page():
    """Three pages, of which the second one is empty."""
    return simple([text(["first"]), "", text(["third"])]).bytes()


# Ordinary documents of a library that others use, too.


def canvas():
    from reportlab.pdfgen.canvas import Canvas
    file = io.BytesIO()
    return Canvas(file, pagesize=(595, 842), invariant=1), file


@document("two-columns")
def two_columns():
    """Two columns, which are read one after the other."""
    page, file = canvas()
    for x, column in ((50, "left"), (320, "right")):
        for line in range(30):
            page.drawString(x, 780 - 14 * line, f"the {column} column has line {column}{line} here")
    page.showPage()
    page.save()
    return file.getvalue()


@document("rotated")
def rotated():
    """Four pages that are rotated by 0, 90, 180 and 270 degrees."""
    page, file = canvas()
    for angle in (0, 90, 180, 270):
        page.setPageRotation(angle)
        page.drawString(100, 400, f"rotated by {angle} degrees")
        page.showPage()
    page.save()
    return file.getvalue()


@document("cjk-without-fonts")
def cjk_without_fonts():
    """Japanese and Chinese in fonts that are not in the file. Reading them needs the tables of poppler-data."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    page, file = canvas()
    for font, shown in (("HeiseiMin-W3", "東京 都庁 の 資料"), ("STSong-Light", "北京 市 的 报告")):
        pdfmetrics.registerFont(UnicodeCIDFont(font))
        page.setFont(font, 12)
        page.drawString(100, 700, shown)
        page.showPage()
    page.save()
    return file.getvalue()


def mapped(lines):
    """One page whose characters are defined by a ToUnicode table: any text without a font in the file."""
    codes, rows, shown = {}, [], []
    for line in lines:
        numbers = []
        for unit in line:
            code = codes.setdefault(unit, len(codes) + 1)
            numbers.append(code)
        shown.append("<" + "".join(f"{code:04x}" for code in numbers) + "> '")
    for unit, code in codes.items():
        rows.append(f"<{code:04x}> <{unit.encode('utf-16-be').hex()}>")
    blocks = [rows[at:at + 100] for at in range(0, len(rows), 100)]
    table = ("/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def\n"
             "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
             + "".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar\n" for block in blocks)
             + "endcmap end end")
    font = ("<< /Type /Font /Subtype /Type0 /BaseFont /Any /Encoding /Identity-H /ToUnicode 4 0 R /DescendantFonts ["
            "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Any /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) "
            "/Supplement 0 >> /DW 600 /FontDescriptor 5 0 R >>] >>")
    raw = simple([], font=font, extra={
        4: "", 5: "<< /Type /FontDescriptor /FontName /Any /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 "
                  "/Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>"})
    raw.stream(table, number=4)
    stream = raw.stream("BT /F 10 Tf 50 800 Td 14 TL\n" + "\n".join(shown) + "\nET")
    page = raw.add("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> "
                   f"/Contents {stream} 0 R >>")
    raw.add(f"<< /Type /Pages /Kids [{page} 0 R] /Count 1 >>", 2)
    return raw.bytes()


@document("cjk")
def cjk():
    """Chinese, Japanese and Korean with a ToUnicode table."""
    return mapped(["北京 市 报告", "東京 都庁", "서울 시청"])


@document("arabic")
def arabic():
    """Arabic, which is stored in the order of display, as most programs do."""
    return mapped(["تقرير سنوي"[::-1]])


@document("ligatures")
def ligatures():
    """Ligatures, full-width letters and a combining accent, which compatibility normalization makes ordinary letters."""
    return mapped(["o\ufb03ce \ufb01le", "\uff24\uff21\uff34\uff21", "cafe\u0301"])


@document("nul-and-bidi")
def nul_and_bidi():
    """NUL, other control characters, a form feed, and marks of the direction, within words."""
    return mapped(["al\0pha", "be\u202eta\u202c", "ga\u200fmma", "del\x0cta", "eps\u00adilon", "ze\x1bta", "et\ufeffa", "the\ufffeta"])


@document("form-feeds")
def form_feeds():
    """Three pages; the second one has form feeds in its text, which look like ends of pages."""
    feeds = "/F 9 Tf 50 700 Td (one) Tj 20 0 Td (\x01) Tj 40 0 Td (two) Tj 40 0 Td (\x01) Tj 40 0 Td (three) Tj"
    table = "begincmap 1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfchar <01> <000c> endbfchar endcmap"
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R >>"
    raw = simple([text(["first"]), f"BT {feeds} ET", text(["third"])], font=font, extra={4: ""})
    raw.stream(table, number=4)
    return raw.bytes()


# Encrypted and scanned documents.


def encrypted(user, owner):
    import pikepdf
    with pikepdf.open(io.BytesIO(one_page())) as pdf:
        out = io.BytesIO()
        allow = pikepdf.Permissions(extract=False, print_highres=False)
        pdf.save(out, encryption=pikepdf.Encryption(user=user, owner=owner, R=6, allow=allow), deterministic_id=False)
        return out.getvalue()


@document("encrypted-user")
def encrypted_user():
    """Encrypted (AES-256); it opens only with a password."""
    return encrypted("secret", "owner")


@document("encrypted-owner")
def encrypted_owner():
    """Encrypted (AES-256), and copying of text is not permitted; it opens without a password."""
    return encrypted("", "owner")


@document("scanned")
def scanned():
    """Two pages that have only an image."""
    raw = simple(["q 500 0 0 700 40 60 cm /I Do Q"] * 2, resources="/XObject << /I 4 0 R >>", extra={4: ""})
    raw.stream(bytes(range(256)) * 64, "/Type /XObject /Subtype /Image /Width 128 /Height 128 /ColorSpace /DeviceGray "
               "/BitsPerComponent 8", number=4)
    return raw.bytes()


# Damaged documents.


@document("truncated")
def truncated():
    """The first 60 % of a document of 500 pages: the table of objects and many pages are missing."""
    whole = many(500)
    return whole[:len(whole) * 6 // 10]


@document("truncated-start")
def truncated_start():
    """The first 200 bytes of a document."""
    return many(12)[:200]


@document("flipped")
def flipped():
    """A document of 500 pages with 2,000 flipped bytes."""
    whole, chosen = bytearray(many(500)), random.Random(7)
    for _ in range(2_000):
        whole[chosen.randrange(len(whole))] ^= 1 << chosen.randrange(8)
    return bytes(whole)


@document("flipped-lightly")
def flipped_lightly():
    """A document of 500 pages with 20 flipped bytes in its streams."""
    whole, chosen = bytearray(many(500)), random.Random(8)
    for _ in range(20):
        whole[chosen.randrange(len(whole) // 2)] ^= 0x10
    return bytes(whole)


@document("missing-pages")
def missing_pages():
    """Twelve pages, of which the objects of 4 to 6 and of 10 are missing."""
    raw = simple(page_of_text(number) for number in range(1, 13))
    pages = [number for number, body in raw.objects.items() if b"/Type /Page " in body]
    for page in (4, 5, 6, 10):
        raw.objects[pages[page - 1]] = b"null"
    return raw.bytes()


@document("not-a-pdf")
def not_a_pdf():
    """A file that is no PDF."""
    return b"PK\x03\x04" + bytes(range(256)) * 20


@document("empty")
def empty():
    """No bytes at all."""
    return b""


@document("header-only")
def header_only():
    """The first line of a PDF, and nothing else."""
    return b"%PDF-1.7\n"


@document("no-pages")
def no_pages():
    """A document without a page."""
    return simple([]).bytes()


# Hostile documents.


def nested_flate(data, times):
    for _ in range(times):
        data = zlib.compress(data, 9)
    return data


@document("stream-bomb")
def stream_bomb():
    """A page whose content is 1 GB of spaces, compressed twice to a few kilobytes."""
    raw = Raw()
    raw.add("<< /Type /Catalog /Pages 2 0 R >>")
    raw.add("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
    raw.add("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>")
    packer, parts = zlib.compressobj(9), []
    for _ in range(1_024):
        parts.append(packer.compress(b" " * (1 << 20)))
    data = zlib.compress(b"".join(parts) + packer.flush(), 9)
    raw.add(b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n" % len(data) + data + b"\nendstream")
    return raw.bytes()


@document("text-bomb")
def text_bomb():
    """A page that shows 40 million words at one place, compressed to 400 KB."""
    line = "(aa bb cc dd ee ff gg hh ii jj) '\n"
    return simple(["BT /F 1 Tf 50 800 Td 0.001 TL\n" + line * 4_000_000 + "ET"]).bytes()


@document("form-loop")
def form_loop():
    """A form that draws itself, and two forms that draw each other."""
    raw = simple(["/A Do /B Do"], resources="/XObject << /A 4 0 R /B 5 0 R >>", extra={4: "", 5: "", 6: ""})
    form = "/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /Font << /F 3 0 R >> /XObject << {} >> >>"
    shown = "BT /F 9 Tf 50 700 Td (loop) Tj ET /X Do"
    raw.stream(shown, form.format("/X 4 0 R"), number=4)
    raw.stream(shown, form.format("/X 6 0 R"), number=5)
    raw.stream(shown, form.format("/X 5 0 R"), number=6)
    return raw.bytes()


@document("form-fan-out")
def form_fan_out():
    """Forms that each draw the next one ten times, twelve levels deep: 10^12 words."""
    depth = 12
    raw = simple(["/X Do"], resources="/XObject << /X 4 0 R >>", extra={4 + level: "" for level in range(depth + 1)})
    form = "/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /Font << /F 3 0 R >> /XObject << {} >> >>"
    for level in range(depth):
        raw.stream("/X Do " * 10, form.format(f"/X {5 + level} 0 R"), number=4 + level)
    raw.stream("BT /F 9 Tf 50 700 Td (fan) Tj ET", form.format(""), number=4 + depth)
    return raw.bytes()


@document("deep-nesting")
def deep_nesting():
    """Arrays that are nested 200,000 deep, in the page and in its content."""
    deep = "[" * 200_000 + "]" * 200_000
    return simple([deep + " TJ " + text(["after"])], page_entries=f"/Deep {deep}").bytes()


@document("lying-count")
def lying_count():
    """Three pages that claim to be 2,000,000,000."""
    return simple([text([f"page{number}"]) for number in (1, 2, 3)], count=2_000_000_000).bytes()


@document("lying-count-low")
def lying_count_low():
    """Three pages that claim to be one."""
    return simple([text([f"page{number}"]) for number in (1, 2, 3)], count=1).bytes()


@document("negative-count")
def negative_count():
    """Three pages that claim to be -5."""
    return simple([text([f"page{number}"]) for number in (1, 2, 3)], count=-5).bytes()


@document("shared-page")
def shared_page():
    """One page that is listed 200,000 times."""
    raw = simple([text(["again"])])
    raw.add("<< /Type /Pages /Kids [" + "5 0 R " * 200_000 + "] /Count 200000 >>", 2)
    return raw.bytes()


@document("page-tree-loop")
def page_tree_loop():
    """A page tree that contains itself."""
    raw = simple([text(["once"])])
    raw.add("<< /Type /Pages /Kids [5 0 R 2 0 R 6 0 R] /Count 1000 >>", 2)
    raw.add("<< /Type /Pages /Parent 2 0 R /Kids [2 0 R] /Count 500 >>", 6)
    return raw.bytes()


@document("page-tree-fan-out")
def page_tree_fan_out():
    """A page tree of nodes that each list the next one ten times, nine levels deep: 10^9 pages in 3 KB."""
    raw = simple([text(["leaf"])])
    first, depth = 6, 9
    for level in range(depth):
        below = 5 if level == depth - 1 else first + level + 1
        raw.add(f"<< /Type /Pages /Kids [{f'{below} 0 R ' * 10}] /Count {10 ** (depth - level)} >>", first + level)
    raw.add(f"<< /Type /Pages /Kids [{first} 0 R] /Count {10 ** depth} >>", 2)
    return raw.bytes()


@document("page-tree-deep")
def page_tree_deep():
    """A page tree that is 50,000 nodes deep."""
    raw = simple([text(["leaf"])])
    first, depth = 6, 50_000
    for level in range(depth):
        below = 5 if level == depth - 1 else first + level + 1
        raw.add(f"<< /Type /Pages /Kids [{below} 0 R] /Count 1 >>", first + level)
    raw.add(f"<< /Type /Pages /Kids [{first} 0 R] /Count 1 >>", 2)
    return raw.bytes()


@document("object-loop")
def object_loop():
    """References that lead back to themselves: the length of a stream, the resources, and the catalog's pages."""
    raw = simple([text(["looping"])])
    raw.add("<< /Type /Page /Parent 2 0 R /MediaBox 7 0 R /Resources 8 0 R /Contents 9 0 R >>", 5)
    raw.add("7 0 R", 7)
    raw.add("8 0 R", 8)
    raw.add(b"<< /Length 9 0 R >>\nstream\nBT (x) Tj ET\nendstream", 9)
    return raw.bytes()


@document("previous-table-loop")
def previous_table_loop():
    """A table of objects whose previous table is itself."""
    whole = one_page()
    start = whole.rindex(b"xref\n0")
    return whole.replace(b"/Root 1 0 R ", b"/Root 1 0 R /Prev %d " % start)


@document("font-bomb")
def font_bomb():
    """A ToUnicode table that maps one character to 100,000 characters, shown 10,000 times."""
    table = ("begincmap 1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfchar <41> <" + "0061" * 100_000
             + "> endbfchar endcmap")
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R >>"
    raw = simple(["BT /F 9 Tf 50 800 Td (" + "A" * 10_000 + ") Tj ET"], font=font, extra={4: ""})
    raw.stream(table, number=4)
    return raw.bytes()


@document("many-words-on-a-page")
def many_words_on_a_page():
    """A page with more than 1 MB of distinct words between two ordinary pages: more than a tsvector holds."""
    lines = [" ".join(f"w{line:x}x{word:x}q" for word in range(20)) for line in range(8_000)]
    huge = "BT /F 12 Tf 5 119900 Td 14 TL\n" + "".join(f"({line}) '\n" for line in lines) + "ET"
    low = "BT /F 9 Tf 50 200 Td ({}) Tj ET".format
    return simple([low("before"), huge, low("after")], box="4000 120000").bytes()


@document("endless-text")
def endless_text():
    """A page that shows 20 million words at different places: more than memory holds."""
    line = "(aa bb cc dd ee ff gg hh ii jj) '\n"
    return simple(["BT /F 12 Tf 5 27999990 Td 14 TL\n" + line * 2_000_000 + "ET"], box="4000 28000000").bytes()


def main():
    if sys.argv[1:] == ["--list"]:
        for name, make in DOCUMENTS.items():
            print(f"{name:24} {make.__doc__.strip()}")
        return
    folder, names = pathlib.Path(sys.argv[1]), sys.argv[2:]
    for name in names or [name for name in DOCUMENTS if name not in LARGE]:
        (folder / f"{name}.pdf").write_bytes(DOCUMENTS[name]())


if __name__ == "__main__":
    main()
