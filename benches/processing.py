"""The measurements of processing.sh: generates files, and aggregates them with each of the programs."""

import datetime
import json
import os
import pathlib
import random
import shlex
import subprocess
import sys
import tempfile

OPTIONS = json.dumps({
    "group_by": ["Song", "Date"],
    "aggregates": [{"function": "sum", "column": "Number of Plays"}],
})
MIB = 1 << 20

# Each one reads the file argv[1] and writes the file argv[2], in the order and the form of csv-aggregate.
PROGRAMS = {
    "Python csv": """
import csv, sys
sums = {}
with open(sys.argv[1], newline="") as file:
    rows = csv.reader(file)
    song, date, plays = map(next(rows).index, ("Song", "Date", "Number of Plays"))
    for row in rows:
        key = (row[song], row[date])
        sums[key] = sums.get(key, 0) + int(row[plays])
with open(sys.argv[2], "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\\n")
    writer.writerow(["Song", "Date", "sum(Number of Plays)"])
    writer.writerows((*key, sums[key]) for key in sorted(sums))
""",
    "pandas": """
import sys, pandas
rows = pandas.read_csv(sys.argv[1], usecols=["Song", "Date", "Number of Plays"], keep_default_na=False)
sums = rows.groupby(["Song", "Date"], sort=True)["Number of Plays"].sum().reset_index(name="sum(Number of Plays)")
sums.to_csv(sys.argv[2], index=False, lineterminator="\\n")
""",
    "DuckDB": """
import sys, duckdb
duckdb.execute("SET threads = 1; SET memory_limit = '8GB'; SET enable_progress_bar = false")
duckdb.execute(f'''COPY (
    SELECT Song, Date, sum("Number of Plays")::BIGINT AS "sum(Number of Plays)"
    FROM read_csv('{sys.argv[1]}', header = true, delim = ',', quote = '"', types = {{'Song': 'VARCHAR', 'Date': 'VARCHAR'}})
    GROUP BY Song, Date ORDER BY Song, Date) TO '{sys.argv[2]}' (HEADER, DELIMITER ',')''')
""",
    "Polars": """
import sys, polars
rows = polars.scan_csv(sys.argv[1], schema_overrides={"Song": polars.String, "Date": polars.String})
sums = rows.group_by("Song", "Date").agg(polars.col("Number of Plays").sum().alias("sum(Number of Plays)"))
sums.sort("Song", "Date").collect(engine=ENGINE).write_csv(sys.argv[2])
""",
}
PROGRAMS["Polars streaming"] = PROGRAMS["Polars"].replace("ENGINE", '"streaming"')
PROGRAMS["Polars"] = PROGRAMS["Polars"].replace("ENGINE", '"in-memory"')


def generate(path, rows, songs, dates, padding):
    """Writes a file. One song of fifty has a comma in its name. `padding` is the bytes of a further column."""
    source = random.Random(20200101)
    names = [f'"Trambone, Part {n}",' if n % 50 == 0 else f"Born to Dance {n * 7919 % songs}," for n in range(songs)]
    start = datetime.date(2020, 1, 1)
    days = [f"{start + datetime.timedelta(n)}," for n in range(dates)]
    plays = [f"{n * n % 5000}" + (f",{'lorem ipsum ' * 20:.{padding}}\n" if padding else "\n") for n in range(200)]
    with open(path, "w") as file:
        file.write("Song,Date,Number of Plays" + (",Note\n" if padding else "\n"))
        for at in range(0, rows, 100_000):
            count = min(100_000, rows - at)
            columns = (source.choices(column, k=count) for column in (names, days, plays))
            file.write("".join(part for row in zip(*columns) for part in row))


def measure(command, stdin=None, stdout=None):
    """Runs a program. Returns its wall seconds, its CPU seconds, its most memory in MiB and its last line."""
    with tempfile.TemporaryFile() as errors:
        started = datetime.datetime.now()
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=errors, env={
            **os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"})
        _, status, used = os.wait4(process.pid, 0)
        wall = (datetime.datetime.now() - started).total_seconds()
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        text = errors.read().decode()
        assert process.returncode == 0, text
        last = text.strip().rsplit("\n", 1)[-1]
        return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, last


def aggregate(path, output, memory):
    """Runs csv-aggregate. Returns its figures and its report."""
    parts = shlex.split(command)
    parts = [part.replace("{options}", OPTIONS).replace("{memory}", str(memory << 20)) for part in parts]
    with open(path, "rb") as stdin, open(output, "wb") as stdout:
        *figures, last = measure(parts, stdin, stdout)
    return *figures, json.loads(last)["report"]


def best(function, *arguments):
    return min((function(*arguments) for _ in range(runs)), key=lambda figures: figures[0])


def line(name, figure, limit, held):
    print(f"{name:<52} {figure:>10}   {limit:<18} {'OK' if held else 'MISSED'}", flush=True)


def make(name, *arguments):
    """Generates a file once. In a process of its own, whose memory is not inherited by what is measured."""
    path = folder / name
    if not path.exists():
        child = os.fork()
        if child == 0:
            generate(path, *arguments)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    return path, path.stat().st_size


def same(left, right):
    return subprocess.run(["cmp", "--silent", left, right]).returncode == 0


def few_groups():
    path, size = make(f"few-{rows}.csv", rows, 1000, 100, 0)
    output = folder / "few.out"
    wall, cpu, memory, report = best(aggregate, path, output, 16)
    name = f"{size / 1e6:.0f} MB, {report['groups']} groups"
    line(f"{name}: MB/s of wall", f"{size / 1e6 / wall:.0f}", "at least 150", size / 1e6 / wall >= 150)
    line(f"{name}: MB/s of CPU", f"{size / 1e6 / cpu:.0f}", "", True)
    line(f"{name}: memory, MiB", f"{memory:.1f}", "at most 32", memory <= 32)
    for program, floor in [("Python csv", 8), ("pandas", 2.5), ("DuckDB", 1), ("Polars", 1), ("Polars streaming", 1)]:
        other = folder / "few.other"
        figures = best(measure, [sys.executable, "-c", PROGRAMS[program], path, other])
        line(f"{program}: seconds, and MiB {figures[2]:.0f}", f"{figures[0]:.2f}", "", True)
        line(f"{program}: equal output", "", "", same(output, other))
        line(f"times as fast as {program}", f"{figures[0] / wall:.2f}", f"at least {floor}", figures[0] / wall >= floor)


def many_groups():
    path, size = make(f"many-{many_rows}.csv", many_rows, 24_500, 365, 0)
    wall, cpu, memory, report = best(aggregate, path, folder / "many.out", 128)
    name = f"{size / 1e6:.0f} MB, {report['groups']} groups"
    rate = report["rows"] / cpu / 1e6
    line(f"{name}: million rows/s of CPU", f"{rate:.2f}", "at least 1.5", rate >= 1.5)
    line(f"{name}: seconds of wall", f"{wall:.2f}", "", True)
    line(f"{name}: memory, MiB", f"{memory:.1f}", "at most 160", memory <= 160)
    line(f"{name}: spilled runs, MB {report['spilled_bytes'] / 1e6:.0f}", report["spilled_runs"], "", True)
    for program in ("DuckDB", "Polars"):
        other = folder / "many.other"
        figures = measure([sys.executable, "-c", PROGRAMS[program], path, other])
        line(f"{program}: seconds, and MiB {figures[2]:.0f}", f"{figures[0]:.2f}", "", True)
        line(f"{program}: equal output", "", "", same(folder / "many.out", other))


def large():
    path, size = make("large.csv", 50_000_000, 27_650, 365, 68)
    wall, cpu, memory, report = aggregate(path, folder / "large.out", 448)
    name = f"{size / 1e9:.1f} GB, {report['rows']} rows, {report['groups']} groups"
    line(f"{name}: memory, MiB", f"{memory:.1f}", "at most 512", memory <= 512)
    line("seconds of wall, and of CPU", f"{wall:.1f} {cpu:.1f}", "", True)


command, folder, rows, many_rows, runs = sys.argv[1:]
folder, rows, many_rows, runs = pathlib.Path(folder), int(rows), int(many_rows), int(runs)
few_groups()
many_groups()
if os.environ.get("PROCESSING_LARGE") == "1":
    large()
