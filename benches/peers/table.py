"""From runs to tables: the quiet rounds, their medians, and the ratios within them."""

from statistics import median

from columns import COLUMNS, P99_TITLE


def headings(results):
    """The columns of the table in order: key of the figure, column, title."""
    shown = []
    for column in COLUMNS:
        if column.key in results:
            shown.append((column.key, column.key, column.title))
            if column.key == "rate":
                shown.append(("p99", column.key, P99_TITLE))
    return shown


def quiet_rounds(rounds):
    """The half of the rounds of one column, rounded up, in which other work used least of the proxies' core. It is the
    same half for every proxy and does not depend on the figures."""
    def disturbed(number):
        runs = [run for run in rounds[number].values() if run is not None]
        return sum(run.disturbed for run in runs) / max(1, len(runs))

    return sorted(sorted(range(len(rounds)), key=disturbed)[: (len(rounds) + 1) // 2])


def figures(rounds, proxy, key):
    """The figure of each quiet round, by the number of the round."""
    found = {}
    for number in quiet_rounds(rounds):
        run = rounds[number].get(proxy)
        if run is not None:
            found[number] = run.figures[key]
    return found


def ratio(rounds, proxy, reference, key):
    """The median of the ratios of the quiet rounds, or None."""
    ours, theirs = figures(rounds, proxy, key), figures(rounds, reference, key)
    ratios = [ours[number] / theirs[number] for number in ours if theirs.get(number)]
    return median(ratios) if ratios else None


def print_tables(results, cells_missing, proxies):
    shown = headings(results)

    def cell(proxy, key, column):
        if (column, proxy) in cells_missing:
            return cells_missing[column, proxy]
        values = figures(results[column], proxy, key)
        if not values:
            return "failed"
        runs = [round_[proxy] for round_ in results[column] if round_.get(proxy)]
        failed = sum(run.failed for run in runs)
        doubted = " !" if any(run.faults for run in runs) or len(runs) < len(results[column]) else ""
        return three_digits(median(values.values())) + (f" ({failed} failed)" if failed else "") + doubted

    print("\nCPU microseconds a request (1 MB: a megabyte), unless a heading says otherwise\n")
    print_table([title for _, _, title in shown],
                {proxy: [cell(proxy, key, column) for key, column, _ in shown] for proxy in proxies})
    for reference in ("tollgate", "nginx"):
        if reference not in proxies:
            continue
        rows = {}
        for proxy in proxies:
            ratios = [ratio(results[column], proxy, reference, key) for key, column, _ in shown]
            rows[proxy] = ["-" if value is None else f"{value:.2f}" for value in ratios]
        print(f"\nas a multiple of {reference}\n")
        print_table([title for _, _, title in shown], rows)
    print_disturbance(results)


def print_disturbance(results):
    print("\nshare of the proxies' core that others had, by round; * marks the rounds that count\n")
    for column, rounds in results.items():
        quiet = quiet_rounds(rounds)
        shares = []
        for number, round_ in enumerate(rounds):
            runs = [run.disturbed for run in round_.values() if run is not None]
            share = sum(runs) / max(1, len(runs))
            shares.append(f"{share:6.1%}{'*' if number in quiet else ' '}")
        print(f"  {column:<10}" + " ".join(shares))


def print_table(titles, rows):
    lines = [["", *titles], *([name, *cells] for name, cells in rows.items())]
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    widths = [max(3, width) for width in widths]
    for number, line in enumerate(lines):
        padded = [line[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(line[1:], widths[1:]))]
        print("| " + " | ".join(padded) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 1) + ("-" if at == 0 else ":") for at, width in enumerate(widths)) + "|")


def three_digits(value):
    return f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"
