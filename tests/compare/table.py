"""The table of ./dev bench, in Markdown that also reads well in a terminal."""

ORDER = ("weir", "other-weir", "haproxy", "nginx", "caddy", "direct")
VERDICTS = {"below": "at or below 0.80", "above": "above 0.80", "unclear": "0.80 is inside the interval",
            "noise": "cannot tell"}


def ratio_text(found):
    return "" if found is None else f"{found['median']:.2f} [{found['low']:.2f}–{found['high']:.2f}]"


def added(one, direct, key):
    """Of a delay, beside that without a proxy. In a closed loop this is mostly queueing, so only few connections say something."""
    return f"{one[key] - direct[key]:+.0f}" if direct else ""


def rows(scenario, name):
    targets = scenario["targets"]
    direct = targets.get("direct")
    for target in ORDER:
        if target not in targets:
            continue
        one = targets[target]
        is_direct = target == "direct"
        yield [name, target, "" if one["cpu_us"] is None or is_direct else f"{one['cpu_us']:.1f}",
               ratio_text(scenario["ratios"].get(target)), "" if is_direct else f"{one['user_part']:.0%}",
               "" if is_direct else f"{one['sleeps']:.2f}", f"{one['rate']:.0f}",
               f"{one['p50_us']:.0f}" if is_direct else added(one, direct, "p50_us"),
               f"{one['p99_us']:.0f}" if is_direct else added(one, direct, "p99_us"),
               "" if is_direct else f"{one['proxy_share']:.0%} / {one['peers_share']:.0%}"]
        name = ""


def text(result):
    head = ["scenario", "", "CPU µs", "weir ÷ this", "user", "sleeps", "per s", "p50 µs", "p99 µs", "proxy / peers busy"]
    lines = [head]
    verdicts = []
    for name, scenario in result["scenarios"].items():
        lines += rows(scenario, name)
        best = scenario["best"]
        if best:
            verdicts.append(f"- {name}: {ratio_text(scenario['ratios'][best])} of {best}, the cheaper one: "
                            f"{VERDICTS[scenario['verdict']]}")
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    shown = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    shown.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    machine = result["machine"]
    title = f"{result['date']}, {machine['cpus']} CPUs ({machine['cpu']}), Linux {machine['kernel']}, {machine.get('congestion_control', '')}"
    versions = "; ".join(f"{name}: {said}" for name, said in result["versions"].items())
    return "\n".join([title, versions, "", *shown, "", *verdicts])
