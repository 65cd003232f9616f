#!/bin/bash
# make.sh: makes the documents and images in this folder, with tools that the tests do not need.
#
# It needs LibreOffice, qpdf, poppler, ImageMagick and the fonts DejaVu and Noto CJK
# (Debian: libreoffice-writer-nogui libreoffice-calc-nogui qpdf poppler-utils imagemagick fonts-dejavu-core
# fonts-noto-cjk). The results are in the repository, because such tools give other bytes with each version.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/writer.html" <<'HTML'
<html><head><meta charset="utf-8"><style>
  body { font-family: "DejaVu Sans" } .cjk { font-family: "Noto Sans CJK JP" } h1 { page-break-before: always }
</style></head><body>
<p>Harbour report, first page. An office file with a table:</p>
<table border="1"><tr><td>vessel</td><td>tonnage</td></tr><tr><td>Albatross</td><td>4711</td></tr></table>
<h1>Languages</h1>
<p>Gr&uuml;&szlig;e aus K&ouml;ln, d&eacute;j&agrave; vu.</p>
<p dir="rtl">تقرير الميناء</p>
<p class="cjk">港湾報告 東京</p>
<h1>The end</h1>
<p>Third page: lighthouse.</p>
</body></html>
HTML
printf 'vessel,tonnage\nAlbatross,4711\nCormorant,815\n' >"$work/calc.csv"
office() {
    soffice -env:UserInstallation="file://$work/profile" --headless --convert-to "$1" --outdir "$work" "$2" >/dev/null 2>&1
}
office 'pdf:writer_web_pdf_Export' "$work/writer.html"
office 'pdf:calc_pdf_Export' "$work/calc.csv"
cp "$work/writer.pdf" libreoffice-writer.pdf
cp "$work/calc.pdf" libreoffice-calc.pdf

qpdf --linearize --object-streams=generate libreoffice-writer.pdf qpdf-linearized.pdf
qpdf --encrypt '' owner 256 --extract=n -- libreoffice-calc.pdf qpdf-encrypted-owner.pdf
qpdf --encrypt user owner 256 -- libreoffice-calc.pdf qpdf-encrypted-user.pdf
qpdf --rotate=+90 --empty --pages libreoffice-calc.pdf libreoffice-writer.pdf 3 -- qpdf-rotated.pdf
pdfunite libreoffice-calc.pdf libreoffice-writer.pdf poppler-united.pdf
pdftocairo -pdf libreoffice-calc.pdf poppler-cairo.pdf

picture=(-size 240x160 gradient:red-blue -fill yellow -draw 'circle 90,80 90,30' -fill black -draw 'line 0,0 80,160')
convert "${picture[@]}" -quality 90 -interlace JPEG -sampling-factor 4:2:0 imagemagick-progressive.jpg
convert "${picture[@]}" -colorspace CMYK -quality 90 imagemagick-cmyk.jpg
convert "${picture[@]}" -colorspace Gray -quality 90 imagemagick-gray.jpg
convert "${picture[@]}" -depth 16 png48:imagemagick-16-bit.png
convert "${picture[@]}" -alpha set -channel A -evaluate set 50% imagemagick-alpha.png
convert "${picture[@]}" -colors 16 png8:imagemagick-palette.png
convert "${picture[@]}" -quality 90 imagemagick.webp
convert "${picture[@]}" \( +clone -negate \) -delay 20 -loop 0 imagemagick-animated.gif
ls -l --block-size=1 ./*.*
