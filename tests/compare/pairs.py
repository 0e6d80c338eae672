"""From samples to statements: medians, ratios by pairs with their interval, and when nothing can be said."""
import math
import statistics

GOAL = 0.80          # of the cheaper of HAProxy and nginx
WIDEST = 0.30        # an interval wider than this part of its ratio says nothing
MERGED = 0.97        # reads per event below which streams were merged
OTHERS = 0.30        # part of the proxy's CPU used by others, and how often in a second it was sent away for them:
PREEMPTED = 300      # above both a sample is disturbed; what others do with its idle time is not asked
PEERS_FULL = 0.97    # part of the time that the peers had something to do, above which they may have limited
PROXY_IDLE = 0.85    # part of its CPU below which the proxy was not what limited
PACE = 0.97          # part of the paced rate that must have come


def median_interval(values):
    """The sign test's interval of the median: the widest pair of order statistics that holds it with at least 90 %.
    With fewer than five values there is none: all of them."""
    ordered = sorted(values)
    size = len(ordered)
    cut, tail = 0, 0.0
    for k in range(size // 2):
        tail += 2 * math.comb(size, k) / 2 ** size
        if tail > 0.10:
            break
        cut = k
    return ordered[cut], ordered[size - 1 - cut]


def ratio(own, other):
    """Median and interval of own/other, round by round; rounds where one of them is missing do not count."""
    pairs = [a / b for a, b in zip(own, other) if a is not None and b is not None]
    if not pairs:
        return None
    low, high = median_interval(pairs)
    return {"median": statistics.median(pairs), "low": low, "high": high, "pairs": len(pairs)}


def cost(sample):
    """CPU microseconds of the proxy for one request or event."""
    return sample["cpu_seconds"] / sample["done"] * 1e6 if sample["done"] else None


def complaint_of(sample, scenario):
    """Why a sample is wrong, whoever made it: then there is no result."""
    if sample["failure"]:
        return sample["failure"]
    if scenario.is_paced and sample["reads"] < MERGED * sample["done"]:
        return f"streams were merged: {sample['reads']} reads for {sample['done']} events"
    return None


def doubt_of(sample, scenario):
    """Why a sample may say nothing: the machine was disturbed, or the peers limited."""
    if sample["others"] > OTHERS and sample["preempted"] > PREEMPTED:
        return f"others used {sample['others']:.0%} of the proxy's CPU and displaced it {sample['preempted']:.0f} times a second"
    if scenario.is_paced:
        if sample["rate"] < PACE * scenario.rate:
            return f"the peers kept {sample['rate']:.0f} of {scenario.rate:.0f} events a second"
    elif sample["peers_share"] > PEERS_FULL and sample["proxy_share"] < PROXY_IDLE:
        return f"the peers were full and the proxy at {sample['proxy_share']:.0%} of its CPU"
    return None


def verdict(found):
    """below | above | unclear (the goal lies inside the interval) | noise"""
    if found is None or found["pairs"] < 5 or (found["high"] - found["low"]) / found["median"] > WIDEST:
        return "noise"
    if found["high"] <= GOAL:
        return "below"
    return "above" if found["low"] > GOAL else "unclear"


def conclude(rounds, own, others):
    """rounds: [{target: sample}] of one scenario -> the medians of each target, the ratios of `own` to each of `others`,
    and the ratio to the cheaper one of them with its verdict."""
    targets = sorted({target for one in rounds for target in one})
    costs = {target: [cost(one[target]) if target in one and not one[target]["doubt"] else None for one in rounds]
             for target in targets if target != "direct"}
    known = {target: statistics.median(values) for target in costs
             if (values := [value for value in costs[target] if value is not None])}
    ratios = {other: ratio(costs[own], costs[other]) for other in costs if other != own}
    rivals = [other for other in others if other in known]
    best = min(rivals, key=known.get) if rivals else None
    return {"targets": {target: summary([one[target] for one in rounds if target in one], known.get(target))
                        for target in targets},
            "ratios": ratios, "best": best, "verdict": verdict(ratios.get(best)) if best else "noise"}


def summary(samples, median_cost):
    """The medians of one target's samples."""
    def middle(key):
        return statistics.median(sample[key] for sample in samples)
    return {"cpu_us": median_cost, "rate": middle("rate"), "p50_us": middle("p50_us"), "p99_us": middle("p99_us"),
            "sleeps": middle("sleeps"), "user_part": middle("user_part"), "proxy_share": middle("proxy_share"),
            "peers_share": middle("peers_share"), "doubts": sum(1 for sample in samples if sample["doubt"]),
            "samples": len(samples)}
