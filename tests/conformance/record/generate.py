#!/usr/bin/env python3
"""Seeded generator of random conformance cases.

    generate.py --seed S --n N --out DIR [--prefix g] [--first 1] [--narrow] [--long] [--mutate] [--providers] [--topic NAME ...]

Writes N case files DIR/<prefix>0001.json ... Each case draws one or a few topics (outage windows,
429 bursts, streams, key limits, caches, ...), builds a configuration around them, scripts the
upstream and spreads requests over time. The same seed gives the same files, byte for byte.

--narrow draws only from the topics (and in the proportions) of the recorded `random/` folder;
without it another set of topics (wildcards, tags, budgets, layer router, ...) is mixed in.
--topic forces a topic into every case (others are still added).
--long makes cases of five to twenty-five minutes with more requests.
--mutate then changes some settings of every case, whatever its topics: so those meet that no topic brings together.
--providers then puts most deployments at other providers than OpenAI and lets some of their connections be lost.

No exact ties: request times end in a microsecond count that is 1 modulo 3 and is unique in the case,
latencies are odd milliseconds, window edges lie on half milliseconds, disconnect times on 0.7 ms.
"""
import argparse, datetime, json, os, random

GROUPS = {"gpt-4o": "gpt-4o", "gpt-4o-mini": "gpt-4o-mini", "gpt-4.1": "gpt-4.1", "gpt-4.1-mini": "gpt-4.1-mini", "cheap": "gpt-4.1-nano", "smart": "gpt-4.1",
          "claude-sonnet": "claude-sonnet-4-5", "claude-haiku": "claude-haiku-4-5", "gemini-pro": "gemini-2.5-pro", "gemini-flash": "gemini-2.5-flash",
          "deepseek-chat": "deepseek-chat", "mistral-large": "mistral-large", "mixtral": "mixtral-8x22b", "qwen-max": "qwen-max", "xai/grok": "grok-4"}
PRICED = ["gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "cheap", "smart"]

# weights follow the frequencies in the recorded random cases
SIDE = {"weights": 12, "flaky": 9, "nested": 9, "stream": 9, "outage_multi": 8, "burst429_ra": 8, "allowed_fails": 7, "per_request": 7, "lp_params": 6, "timeouts": 6,
        "max_parallel": 5, "burst429_nora": 5, "status_mix": 5, "auth401": 4, "ctx": 4, "stream_abort": 4, "retry_policy": 4, "jitter": 4, "allowed_fails_policy": 4,
        "disconnect": 3, "alias": 3, "upstream_rpm": 3, "order": 3}
LEAD = {"least_busy": 2, "latency": 2, "rpm_precall": 2, "ubr_v2": 2, "cost": 2, "key_tpm": 2, "key_budget": 2, "key_rpm": 2, "cache": 2, "mg_retry_policy": 2, "outage_single": 2, "order": 2}
WIDE = {"router_layer": 4, "stream_timeouts": 3, "weighted_failover": 3, "enforce_rates": 3, "dep_budget": 2, "provider_budget": 2, "tags": 3, "wildcard": 3, "key_parallel": 3,
        "ubr_v1": 2, "dep_fail_policy": 3, "parallel_from_rpm": 3, "dict_alias": 2, "id_as_model": 2, "http_date": 3, "cache_modes": 3, "cps": 2, "hang_disconnect": 2,
        "key_mix": 3, "dead_group": 3, "no_retry_sleep": 2, "queue_stream": 3, "policy_default": 2, "content": 2}
EXCLUSIVE = [{"least_busy", "latency", "ubr_v2", "cost", "ubr_v1", "weighted_failover"}, {"key_tpm", "key_budget", "key_rpm", "key_parallel", "key_mix"},
             {"cache", "cache_modes", "key_budget"}, {"outage_single", "outage_multi"}, {"router_layer", "key_tpm"}, {"router_layer", "key_budget"}, {"router_layer", "key_rpm"},
             {"router_layer", "key_parallel"}, {"router_layer", "key_mix"}, {"router_layer", "disconnect"}, {"router_layer", "hang_disconnect"}, {"router_layer", "tags"},
             {"router_layer", "id_as_model"}, {"router_layer", "per_request"}, {"cost", "wildcard"}, {"cost", "dep_budget"}, {"weighted_failover", "order"}]


class Gen:
    def __init__(self, rng, narrow, forced, long=False):
        self.r, self.narrow, self.forced, self.long = rng, narrow, forced, long

    # ---- small draws
    def lat(self, lo, hi):
        """odd number of milliseconds, in seconds"""
        a = int(self.r.uniform(lo, hi) * 1000) | 1
        return a / 1000

    def edge(self, x):
        return round(int(x * 1000) / 1000 + 0.0005, 4)

    def window(self, lo=0.1, hi=0.7):
        a = self.r.uniform(0, self.T * 0.8)
        return [self.edge(a), self.edge(a + self.r.uniform(lo, hi) * self.T)]

    def wpick(self, d):
        ks = list(d)
        return self.r.choices(ks, [d[k] for k in ks])[0]

    def p(self, x):
        return self.r.random() < x

    # ---- topics
    def topics(self):
        got = list(self.forced)

        def ok(t):
            return t not in got and not any(t in e and set(got) & (e - {t}) for e in EXCLUSIVE)
        if not got and self.p(0.45):
            got.append(self.wpick(LEAD))
        n = self.r.choices([1, 2, 3, 4, 5, 6], [3, 6, 6, 5, 3, 2])[0]
        tries = 0
        while len(got) < n + len(self.forced) and tries < 50:
            tries += 1
            pool = WIDE if not self.narrow and self.p(0.28) else SIDE
            t = self.wpick(pool)
            if ok(t):
                got.append(t)
        if "stream_abort" in got and "stream" not in got:
            got.append("stream")
        if ("stream_timeouts" in got or "queue_stream" in got) and "stream" not in got:
            got.append("stream")
        return got

    def case(self, name):
        r = self.r
        t = self.t = self.topics()
        has = lambda *x: any(y in t for y in x)
        self.T = r.choice([300, 600, 900, 1500] if self.long else [20, 20, 40, 60, 60, 60, 90, 120, 200])
        n = r.choice([60, 100, 150, 200] if self.long else [6, 12, 20, 20, 30, 30, 40, 40, 50, 60, 60, 80, 100])
        case = {"name": name, "doc": "random case: " + ", ".join(t), "seed": r.randrange(1, 9999)}
        if has("router_layer"):
            case["layer"] = "router"
        if has("jitter"):
            case["jitter"] = 0.75
        minute = has("rpm_precall", "ubr_v2", "ubr_v1", "latency", "cost", "upstream_rpm", "enforce_rates")
        if minute or self.p(0.3):
            case["start"] = "2026-%02d-%02dT%02d:%02d:%02d+00:00" % (r.randrange(1, 10), r.randrange(1, 28), r.randrange(24), r.randrange(60), r.randrange(60))
        self.t0 = datetime.datetime.fromisoformat(case.get("start", "2026-01-05T00:00:00+00:00"))
        if has("stream", "disconnect", "hang_disconnect"):
            case["drain"] = 20
        # groups and deployments
        k = r.choices([1, 2, 3, 4, 5, 6], [1, 3, 5, 4, 3, 3])[0]
        if has("nested", "dead_group") and k < 2:
            k = 3
        names = r.sample(PRICED if has("key_budget", "cost", "dep_budget", "provider_budget") else list(GROUPS), min(k, 6))
        if has("cost"):
            names = names[:3]
        ml, deps = [], {}
        for g in names:
            m = r.choices([1, 2, 3, 4], [4, 5, 2, 2])[0]
            if has("outage_single") and g == names[0]:
                m = 1
            if has("order", "weighted_failover") and g == names[0]:
                m = max(m, 2 + (r.random() < 0.5))
            deps[g] = []
            for i in range(1, m + 1):
                did = "%s-%d" % (g.replace("/", "-"), i)
                mod = "openai/" + GROUPS[g]
                if has("cost"):
                    mod = r.choice(["gpt-4o-mini", "gpt-4.1-nano", "gpt-4.1", "gpt-4o"])
                ml.append({"model_name": g, "litellm_params": {"model": mod}, "model_info": {"id": did}})
                deps[g].append(did)
        if has("wildcard"):
            for pat in r.sample(["openai/*", "*", "openai/gpt-4*", "vendor/*"], r.choice([1, 2, 2])):
                for i in range(1, r.choice([1, 1, 2]) + 1):
                    did = "wild-%s-%d" % ({"openai/*": "openai", "*": "any", "openai/gpt-4*": "gpt4", "vendor/*": "vendor"}[pat], i)
                    ml.append({"model_name": pat, "litellm_params": {"model": "openai/" + ("*" if pat != "openai/gpt-4*" else "gpt-4*")}, "model_info": {"id": did}})
                    deps.setdefault(pat, []).append(did)
        self.deps, self.ml, self.names = deps, ml, names
        by = {m["model_info"]["id"]: m for m in ml}
        lp = {d: m["litellm_params"] for d, m in by.items()}
        mi = {d: m["model_info"] for d, m in by.items()}
        rs, ls, gs = {}, {}, {}
        # strategy
        if has("least_busy"):
            rs["routing_strategy"] = "least-busy"
        elif has("latency"):
            rs["routing_strategy"] = "latency-based-routing"
            if self.p(0.6):
                rs["routing_strategy_args"] = {"lowest_latency_buffer": r.choice([0, 0.1, 0.3, 0.5, 1.0])}
        elif has("ubr_v2"):
            rs["routing_strategy"] = "usage-based-routing-v2"
        elif has("ubr_v1"):
            rs["routing_strategy"] = "usage-based-routing"
        elif has("cost"):
            rs["routing_strategy"] = "cost-based-routing"
        elif self.p(0.3):
            rs["routing_strategy"] = "simple-shuffle"
        if has("weighted_failover"):
            rs["enable_weighted_failover"] = True
        if has("max_parallel", "queue_stream") and self.p(0.4):
            rs["default_max_parallel_requests"] = r.choice([1, 2, 3])
        if has("rpm_precall") or self.p(0.08):
            rs["enable_pre_call_checks"] = True
        # retries
        x = r.random()
        if x < 0.5:
            rs["num_retries"] = r.choice([0, 1, 2, 2, 3, 4])
        if x > 0.4 and self.p(0.45):
            ls["num_retries"] = r.choice([0, 0, 1, 2, 3, 4])
        if self.p(0.08) or has("no_retry_sleep"):
            rs["retry_after"] = r.choice([1, 2, 5, 7, 9])
        if self.p(0.03):
            ls["retry_after"] = r.choice([1, 5])
        POL = ["BadRequestErrorRetries", "AuthenticationErrorRetries", "TimeoutErrorRetries", "RateLimitErrorRetries", "ContentPolicyViolationErrorRetries", "InternalServerErrorRetries", "ServiceUnavailableErrorRetries", "DefaultRetries"]
        pol = lambda n: {k: r.choice([0, 1, 2, 3]) for k in r.sample(POL, n)}
        if has("retry_policy"):
            rs["retry_policy"] = pol(r.randrange(1, 5))
        if has("policy_default"):
            rs["retry_policy"] = {**pol(r.randrange(0, 2)), "DefaultRetries": r.choice([0, 1, 3])}
        if has("mg_retry_policy"):
            rs["model_group_retry_policy"] = {g: pol(r.randrange(1, 4)) for g in r.sample(names, min(len(names), r.choice([1, 1, 2])))}
        # cooldown
        if has("allowed_fails"):
            if self.p(0.75):
                rs["allowed_fails"] = r.choice([0, 0, 1, 1, 2, 3, 3, 4])
            if self.p(0.3) or "allowed_fails" not in rs:
                ls["allowed_fails"] = r.choice([0, 1, 2])
        elif self.p(0.04):
            ls["allowed_fails"] = r.choice([0, 1])
        if has("allowed_fails_policy"):
            AF = ["BadRequestErrorAllowedFails", "AuthenticationErrorAllowedFails", "TimeoutErrorAllowedFails", "RateLimitErrorAllowedFails", "ContentPolicyViolationErrorAllowedFails", "InternalServerErrorAllowedFails"]
            rs["allowed_fails_policy"] = {k: r.randrange(0, 5) for k in r.sample(AF, r.randrange(1, 5))}
        if self.p(0.6):
            rs["cooldown_time"] = r.choice([0, 1, 1, 2, 3, 3, 5, 5, 8, 10, 20, 30, 60])
        if self.p(0.04):
            rs["disable_cooldowns"] = True
        if self.p(0.04):
            ls["cooldown_time"] = 60
        if has("dep_fail_policy"):
            for d in r.sample(list(mi), max(1, len(mi) // 2)):
                if self.p(0.5):
                    mi[d]["allowed_fails"] = r.choice([0, 1, 2])
                else:
                    mi[d]["allowed_fails_policy"] = {k: r.choice([0, 1, 2]) for k in r.sample(["RateLimitErrorAllowedFails", "InternalServerErrorAllowedFails", "TimeoutErrorAllowedFails", "AuthenticationErrorAllowedFails", "BadRequestErrorAllowedFails"], r.choice([1, 2, 3]))}
        # fallbacks
        fb = []
        if len(names) > 1 and self.p(0.85):
            if has("nested"):
                for g in r.sample(names, max(2, r.randrange(1, len(names) + 1)) if len(names) > 1 else 1):
                    others = [x for x in names if x != g]
                    fb.append({g: r.sample(others, r.randrange(1, min(3, len(others)) + 1))})
            else:
                for g in names[:r.choice([1, 1, 2])]:
                    others = [x for x in names if x != g]
                    fb.append({g: r.sample(others, r.randrange(1, min(3, len(others)) + 1))})
        if has("wildcard") and self.p(0.5):
            fb.append({r.choice(["*", "openai/gpt-4o", "gpt-4o", "openai/zeta"]): [r.choice(names)]})
        if fb:
            (rs if self.p(0.75) else ls)["fallbacks"] = fb
        if len(names) > 1 and self.p(0.12):
            (rs if self.p(0.6) else ls)["default_fallbacks"] = r.sample(names, r.choice([1, 2]))
        if self.p(0.2):
            (rs if self.p(0.8) else ls)["max_fallbacks"] = r.choice([0, 0, 1, 2, 2, 3, 5])
        if has("ctx", "content", "status_mix") and len(names) > 1:
            if has("ctx") and self.p(0.55):
                ls["context_window_fallbacks"] = [{names[0] if self.p(0.7) else r.choice(names): [r.choice(names)]}]
            if (has("content") and self.p(0.6)) or self.p(0.15):
                (rs if self.p(0.7) else ls)["content_policy_fallbacks"] = [{names[0]: [r.choice(names[1:])]}]
        clients = list(names)
        if has("alias"):
            al = {}
            for a in r.sample(["gpt-4", "prod-chat", "assistant", "default-model"], r.choice([1, 1, 2])):
                al[a] = r.choice(names)
            rs["model_group_alias"] = al
            clients += list(al)
            if fb and self.p(0.4):
                fb.append({list(al)[0]: [r.choice(names)]})
        if has("dict_alias"):
            rs.setdefault("model_group_alias", {})
            for a in r.sample(["team-model", "secret", "old-name"], r.choice([1, 2])):
                rs["model_group_alias"][a] = {"model": r.choice(names), "hidden": self.p(0.6)}
                clients.append(a)
        # timeouts
        if has("timeouts"):
            for f in r.sample(["rs", "ls", "lp", "lp"], r.choice([1, 1, 2])):
                if f == "rs":
                    rs["timeout"] = r.choice([2, 3, 5, 8])
                elif f == "ls":
                    ls["request_timeout"] = r.choice([2, 3, 5])
                else:
                    for d in lp:
                        if self.p(0.5):
                            lp[d]["timeout"] = r.choice([2, 3, 4, 6])
        if has("stream_timeouts"):
            for f in r.sample(["rs", "rt", "lp", "ls", "lpt"], r.choice([1, 2, 3])):
                if f == "rs":
                    rs["stream_timeout"] = r.choice([0.6, 1, 2, 3])
                elif f == "rt":
                    rs["timeout"] = r.choice([1, 2, 5])
                elif f == "ls":
                    ls["request_timeout"] = r.choice([1, 2, 5])
                else:
                    for d in lp:
                        if self.p(0.5):
                            lp[d]["stream_timeout" if f == "lp" else "timeout"] = r.choice([0.5, 1, 2, 4])
        elif has("stream") and self.p(0.25):
            rs["stream_timeout"] = r.choice([1, 2, 3])
        # per-deployment
        if has("weights"):
            for g, ds in deps.items():
                style = r.choice(["weight", "weight", "rpm", "mixed", "none", "tpm"] if not has("rpm_precall", "enforce_rates", "ubr_v2", "ubr_v1", "latency", "cost") else ["weight", "none", "rpm"])
                for d in ds:
                    if style == "weight" or (style == "mixed" and self.p(0.5)):
                        lp[d]["weight"] = r.choice([0, 1, 1, 2, 3, 3, 10])
                    elif style in ("rpm", "mixed"):
                        lp[d]["rpm"] = r.choice([20, 60, 60, 100])
                    elif style == "tpm":
                        lp[d]["tpm"] = r.choice([20000, 60000, 100000])
        if has("lp_params"):
            for d in lp:
                for kk, vv, pr in (("num_retries", [0, 0, 1, 1, 2, 4], .35), ("timeout", [2, 4, 6], .25), ("cooldown_time", [0, 2, 2, 8, 8, 15], .35), ("max_retries", [1, 3], .15)):
                    if self.p(pr):
                        lp[d][kk] = r.choice(vv)
                if self.p(.15):
                    mi[d]["cooldown_time"] = 3
                if self.p(.12):
                    mi[d]["allowed_fails"] = r.choice([0, 1, 1])
        if has("max_parallel"):
            for d in lp:
                if self.p(0.6):
                    lp[d]["max_parallel_requests"] = r.choice([1, 2, 2, 3])
        if has("queue_stream"):
            for d in lp:
                if self.p(0.8):
                    lp[d]["max_parallel_requests"] = r.choice([1, 1, 2])
        if has("parallel_from_rpm"):
            for d in lp:
                if self.p(0.6):
                    lp[d].update(r.choice([{"rpm": 1}, {"rpm": 2}, {"rpm": 3}, {"tpm": 100}, {"tpm": 400}, {"tpm": 500, "rpm": 4}, {"rpm": 2, "max_parallel_requests": 3}]))
        if has("rpm_precall", "enforce_rates"):
            for d in lp:
                if self.p(0.6):
                    lp[d]["rpm"] = r.randrange(2, 9)
                elif has("enforce_rates") and self.p(0.4):
                    lp[d]["tpm"] = r.choice([1000, 3000, 6000])
        if has("enforce_rates"):
            rs["optional_pre_call_checks"] = ["enforce_model_rate_limits"]
        if has("ubr_v2", "ubr_v1", "latency", "cost"):
            for d in lp:
                if self.p(0.4):
                    lp[d]["rpm"] = r.choice([3, 5, 8, 12])
                if self.p(0.25):
                    lp[d]["tpm"] = r.choice([1500, 3000, 8000])
        if has("cost"):
            for d in lp:
                if self.p(0.4):
                    lp[d]["input_cost_per_token"] = r.randrange(1, 90) * 1e-7
                    lp[d]["output_cost_per_token"] = r.randrange(1, 90) * 1e-7
        if has("order"):
            for g, ds in deps.items():
                if g == names[0] or self.p(0.4):
                    for d in ds:
                        if self.p(0.85):
                            lp[d]["order"] = r.choice([1, 1, 2, 2, 3])
        if has("dep_budget"):
            for d in r.sample(list(lp), max(1, len(lp) // 2)):
                lp[d]["max_budget"] = r.choice([0.001, 0.003, 0.01, 0.02])
                if self.p(0.8):
                    lp[d]["budget_duration"] = r.choice(["1d", "30s", "20s", "1h"])
        if has("provider_budget"):
            rs["provider_budget_config"] = {"openai": {"budget_limit": r.choice([0.003, 0.01, 0.03]), "time_period": r.choice(["1d", "30s", "45s"])}}
        if has("tags"):
            rs["enable_tag_filtering"] = True
            if self.p(0.25):
                rs["tag_filtering_match_any"] = False
            for d in lp:
                x = r.random()
                if x < 0.6:
                    lp[d]["tags"] = r.sample(["free", "paid", "eu", "default"], r.choice([1, 1, 2]))
        if has("weighted_failover"):
            for d in deps[names[0]]:
                if self.p(0.6):
                    lp[d]["weight"] = r.choice([0, 1, 2, 5])
        if has("disconnect", "hang_disconnect") and self.p(0.4):
            gs["cancel_on_disconnect"] = True
        if has("cache"):
            ls["cache"] = True
            ls["cache_params"] = {"type": "local", "ttl": r.choice([5, 10, 30, 600])}
        if has("cache_modes"):
            ls["cache"] = True
            ls["cache_params"] = {"type": "local", **({"ttl": r.choice([3, 8, 20])} if self.p(0.6) else {}), **({"mode": "default_off"} if self.p(0.5) else {})}
        # upstream
        up = {}
        main = names[0]
        self.minor = has("stream") and r.uniform(0.3, 0.9)
        for g, ds in deps.items():
            for d in ds:
                up[d] = self.rules(g, d, main, has, lp[d])
        case["config"] = {"model_list": ml}
        if self.p(0.15):
            r.shuffle(ml)
        for key, val in (("router_settings", rs), ("litellm_settings", ls), ("general_settings", gs)):
            if val:
                case["config"][key] = val
        case["upstream"] = up
        # keys
        keys = {}
        if has("key_rpm"):
            keys["sk-team-a"] = {"rpm_limit": r.choice([2, 4, 8, 12, 20, max(2, n // 2)])}
        if has("key_tpm"):
            keys["sk-tokens"] = {"tpm_limit": r.choice([600, 1500, 4000, 9000, 20000, 40000])}
        if has("key_parallel"):
            keys["sk-par"] = {"max_parallel_requests": r.choice([1, 1, 2, 3])}
        if has("key_mix"):
            keys["sk-mix"] = {k: v for k, v in {"rpm_limit": r.choice([5, 10, 20]), "tpm_limit": r.choice([3000, 9000, 20000]), "max_parallel_requests": r.choice([1, 2, 4])}.items() if self.p(0.7)} or {"rpm_limit": 6}
        if has("key_budget"):
            keys["sk-budget"] = {"max_budget": round(r.uniform(0.001, 0.06), 6)}
            if self.p(0.2):
                gs["disable_budget_reservation"] = True
                case["config"]["general_settings"] = gs
        if has("holders"):
            self.holders(case, keys, names, n)
        if keys:
            case["keys"] = keys
        case["requests"] = self.requests(n, clients, has, keys)
        return case

    def rules(self, g, d, main, has, lp):
        r, out = self.r, []
        flaky = has("flaky") and (g == main or self.p(0.5)) or self.p(0.12)
        hot = g == main or self.p(0.4)   # topics hit the main group first
        blocks = []
        if has("stream_abort") and (g == main or self.p(0.4)):
            b = []
            for c in sorted(r.sample(range(1, 21), r.randrange(1, 6))):
                b.append({"calls": [c, c], **self.ok_stream(0.3, 1.8)})
                b[-1]["abort_after"] = r.randrange(0, b[-1]["chunks"] + 1)
            blocks.append(b)
        if flaky:
            pool = r.choice([[500, 502], [500, 502, 503, 504, 429, 408], [500], [429], [500, 502, 503, 504, 408]])
            blocks.append([{"calls": [c, c], "status": r.choice(pool), "latency": self.lat(0.02, 0.4)} for c in sorted(r.sample(range(1, 41), r.randrange(4, 15)))])
        if has("status_mix") and hot:
            pool = [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529]
            blocks.append([{"calls": [c, c], **({"content_policy": True} if self.p(0.05) else {"status": r.choice(pool)}), "latency": self.lat(0.02, 0.4)} for c in sorted(r.sample(range(1, 31), r.randrange(3, 9)))])
        if has("outage_single") and g == main or has("outage_multi") and hot and self.p(0.7) or has("dead_group") and g == main or self.p(0.03):
            blocks.append([{"t": [0, 1e9] if has("dead_group") and g == main and self.p(0.5) else self.window(), **({"conn_error": True} if self.p(0.2) else {"status": r.choice([500, 502, 503, 503, 504, 529])}), "latency": self.lat(0.03, 0.4)}])
        if has("burst429_ra") and hot and self.p(0.75) or self.p(0.02):
            blocks.append([{"t": self.window(0.1, 0.5), "status": 429, "latency": self.lat(0.02, 0.4), "retry_after": r.choice([0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 61])} for _ in range(r.choice([1, 1, 2]))])
        if has("burst429_nora") and hot and self.p(0.75) or self.p(0.02):
            blocks.append([{"t": self.window(0.1, 0.5), "status": 429, "latency": self.lat(0.02, 0.4)}])
        if has("http_date") and hot and self.p(0.7):
            ra = r.choice([0, 1, 3, 0.5, 59, 60, 61, 90, "4", "soon", "-3"])
            if self.p(0.5):   # an HTTP date at or around the window
                ra = (self.t0 + datetime.timedelta(seconds=r.randrange(0, int(self.T * 1.2)))).strftime("%a, %d %b %Y %H:%M:%S GMT")
            blocks.append([{"t": self.window(0.2, 0.7), "status": r.choice([429, 503, 500]), "latency": self.lat(0.02, 0.4), "retry_after": ra}])
        if has("auth401") and hot and self.p(0.6) or self.p(0.02):
            w = self.window()
            blocks.append([{"t": [w[0], 1e9] if self.p(0.5) else w, "status": r.choice([401, 401, 401, 403, 404]), "latency": self.lat(0.02, 0.4)}])
        if has("timeouts", "hang_disconnect") and hot and self.p(0.8) or has("stream_timeouts") and self.p(0.2):
            blocks.append([{"t": self.window(0.1, 0.5), "hang": True}])
        if has("ctx") and self.p(0.6):
            blocks.append([{"over_tokens": r.choice([500, 500, 1000, 2000]), "context_window": True, "latency": self.lat(0.02, 0.3)}])
        if has("content") and hot:
            blocks.append([{"calls": [c, c], "content_policy": True, "latency": self.lat(0.02, 0.3)} for c in sorted(r.sample(range(1, 25), r.randrange(1, 6)))])
        if has("upstream_rpm") and hot and self.p(0.8) or self.p(0.04):
            b = {"status": 429, "latency": self.lat(0.02, 0.4), "rpm": r.randrange(2, 12)}
            if self.p(0.5):
                b["retry_after"] = r.choice([1, 5, 10, 20, 45])
            blocks.append([b])
        if has("disconnect", "hang_disconnect") and self.p(0.15) and not has("timeouts"):
            blocks.append([{"t": self.window(0.1, 0.3), "status": 500, "latency": self.lat(0.3, 1.5)}])
        r.shuffle(blocks)
        for b in blocks:
            out += b
        if has("stream"):
            if has("stream_timeouts") and self.p(0.6):
                out.append({"calls": [2, r.choice([4, 9, None])], **self.ok_stream(1.5, 9.0)})
            out.append(self.ok_stream(0.3, 9.0 if has("queue_stream") and self.p(0.4) else 2.2))
        if self.p(0.15):
            out.append({"t": self.window(), "status": 200, "latency": self.lat(0.1, 2) if self.p(0.6) else self.lat(3, 10)})
        out.append({"status": 200, "latency": self.lat(0.1, 0.7) if self.p(0.5) else self.lat(0.3, 3)})
        return out

    def ok_stream(self, lo, hi):
        a = self.lat(lo, hi)
        tt = min(self.lat(0.05, max(0.1, min(a, 1.2) * 0.95)), round(a - 0.02, 3))
        return {"stream": True, "status": 200, "latency": a, "ttft": max(tt, 0.013), "chunks": self.r.randrange(2, 10)}

    def holders(self, case, keys, groups, n):
        """Keys of users and teams, with limits and budgets at every level (only when the topic is forced)."""
        r = self.r
        rpm = lambda: r.choice([3, 6, 10, max(2, n // 3)])
        tpm = lambda: r.choice([900, 2500, 8000, 20000])
        dollars = lambda: round(r.uniform(0.001, 0.03), 6)
        per_model = lambda pick: {g: pick() for g in r.sample(groups, r.randint(1, min(2, len(groups))))}
        users, teams, members = {}, {}, {}
        for u in ("ada", "bob")[:r.randint(1, 2)]:
            users[u] = {k: v for k, v in {"rpm_limit": rpm(), "tpm_limit": tpm(), "max_budget": dollars()}.items() if self.p(0.4)}
            if self.p(0.3):
                users[u]["model_max_budget"] = per_model(lambda: {"max_budget": dollars(), "budget_duration": r.choice(["20s", "1h"])})
        if self.p(0.7):
            teams["labs"] = {k: v for k, v in {"rpm_limit": rpm(), "tpm_limit": tpm(), "max_budget": dollars()}.items() if self.p(0.5)}
            limits = {k: v for k, v in {"model_rpm_limit": per_model(rpm), "model_tpm_limit": per_model(tpm)}.items() if self.p(0.35)}
            if limits:
                teams["labs"]["metadata"] = limits
            for u in users:
                if self.p(0.3):
                    members[u + ":labs"] = {"max_budget": dollars()}
        for k in ("sk-1", "sk-2", "sk-3"):
            key = {a: b for a, b in {"rpm_limit": rpm(), "tpm_limit": tpm(), "max_parallel_requests": r.choice([1, 2, 4]), "max_budget": dollars()}.items() if self.p(0.25)}
            limits = {a: b for a, b in {"model_rpm_limit": per_model(rpm), "model_tpm_limit": per_model(tpm)}.items() if self.p(0.2)}
            if limits:
                key["metadata"] = limits
            if self.p(0.25):
                key["model_max_budget"] = per_model(lambda: {"max_budget": dollars(), "budget_duration": r.choice(["20s", "1h"])})
            if self.p(0.75):
                key["user_id"] = u = r.choice(list(users))
                key.update({"user_" + a: b for a, b in users[u].items() if a in ("rpm_limit", "tpm_limit")})
            if teams and self.p(0.6):
                key["team_id"] = "labs"
                key.update({"team_" + a: b for a, b in teams["labs"].items() if a in ("rpm_limit", "tpm_limit")})
            keys[k] = key
        for name, rows in (("users", users), ("teams", teams), ("members", members)):
            if rows:
                case[name] = rows

    def requests(self, n, clients, has, keys):
        r, T = self.r, self.T
        # arrivals: spread over the whole time, or bunches
        if self.p(0.5):
            ts = sorted(r.uniform(0, T) for _ in range(n))
        else:
            ts = []
            while len(ts) < n:
                c = r.uniform(0, T)
                m = min(n - len(ts), r.randrange(4, 30))
                sp = r.choice([1, 2, 5])
                ts += [c + r.expovariate(1) * sp * 0.6 for _ in range(m)]
            ts.sort()
        out = []
        main = clients[0]
        extra = []
        if has("wildcard"):
            extra = r.sample(["openai/gpt-4o", "openai/gpt-4.1", "openai/zeta", "vendor/x1", "unknown-model", "openai/o3"], 3)
        for i, x in enumerate(ts):
            q = {"id": "q%03d" % i, "t": round(int(x * 1000) / 1000 + (3 * i + 1) * 1e-6, 6)}
            y = r.random()
            q["model"] = main if y < 0.72 or len(clients) == 1 else r.choice(clients)
            if extra and self.p(0.4):
                q["model"] = r.choice(extra)
            if has("id_as_model") and self.p(0.15):
                q["model"] = r.choice([d for ds in self.deps.values() for d in ds])
            if has("alias", "dict_alias") and self.p(0.3):
                q["model"] = r.choice(clients[len(self.names):] or clients)
            q["prompt_tokens"] = r.choice([40, 120, 300, 700, 1500, 2500])
            q["completion_tokens"] = r.choice([10, 40, 120, 300])
            prm, hdr = {}, {}
            if has("stream") and self.p(self.minor):
                q["stream"] = True
            if has("cache", "cache_modes"):
                q["prompt_tokens"], q["completion_tokens"] = 120, 40
                q["content"] = "question %d" % r.randrange(1, 11)
                if has("cache"):
                    if self.p(0.1):
                        prm["cache"] = r.choice([{"no-cache": True}, {"no-cache": True}, {"ttl": 5}, {"no-store": True}])
                    elif self.p(0.06):
                        prm["temperature"] = 0.5
                elif self.p(0.6):
                    prm["cache"] = r.choice([{"use-cache": True}, {"use-cache": True}, {"use-cache": True, "ttl": 4}, {"no-cache": True}, {"no-store": True}, {"s-maxage": 3}, {"s-max-age": 3}, {"ttl": 2}, {"namespace": "n1"}, {"use-cache": True, "namespace": "n1"}])
            if keys and self.p(0.85):
                q["key"] = r.choice(list(keys)) if has("holders") else list(keys)[0]
                if has("key_budget"):
                    q["prompt_tokens"] = r.choice([100, 200, 400, 800])
                    q["real_tokens"] = True
                    if self.p(0.85):
                        prm["max_tokens"] = q["completion_tokens"] + r.choice([0, 50])
                elif has("key_tpm", "key_mix") and self.p(0.55):
                    prm["max_tokens"] = q["completion_tokens"] + r.choice([0, 20, 100])
            if has("per_request") and self.p(0.35):
                z = r.randrange(7)
                if z == 0:
                    prm["num_retries"] = r.choice([0, 1, 2, 3])
                elif z == 1:
                    hdr["x-litellm-num-retries"] = str(r.choice([0, 1, 2]))
                elif z == 2:
                    prm["timeout"] = r.choice([1, 2, 4])
                elif z == 3:
                    prm["fallbacks"] = [r.choice(self.names)]
                elif z == 4:
                    prm["disable_fallbacks"] = True
                elif z == 5 and not self.narrow:
                    if self.p(0.5):
                        hdr["x-litellm-timeout"] = str(r.choice([1, 2, 3]))
                    else:
                        prm["stream_timeout"] = r.choice([1, 2])
                elif z == 6 and not self.narrow:
                    if self.p(0.4):
                        hdr["x-litellm-stream-timeout"] = str(r.choice([1, 2]))
                    else:
                        prm["fallbacks"] = r.sample(self.names, min(2, len(self.names)))
            if has("tags"):
                if self.p(0.6):
                    tg = r.sample(["free", "paid", "eu", "us"], r.choice([1, 1, 2]))
                    if self.p(0.4):
                        hdr["x-litellm-tags"] = ",".join(tg)
                    else:
                        prm["metadata" if self.p(0.8) else "tags"] = {"tags": tg}
                        if "tags" in prm:
                            prm["tags"] = tg
            if has("disconnect", "hang_disconnect") and self.p(0.35):
                if q.get("stream") and self.p(0.7):
                    q["disconnect_after"] = r.randrange(1, 5)
                else:
                    q["disconnect_at"] = round(self.lat(0.2, 1.6) + 0.0007, 4)
            if hdr:
                q["headers"] = hdr
            if prm:
                q["params"] = prm
            out.append(q)
        return out


def mutate(case, r):
    """changes one to five settings of a finished case"""
    p = lambda x: r.random() < x
    cf, proxy = case["config"], case.get("layer") != "router"
    rs, ls, gs = (cf.setdefault(a, {}) for a in ("router_settings", "litellm_settings", "general_settings"))
    ml, requests = cf["model_list"], case["requests"]
    groups = sorted({m["model_name"] for m in ml if "*" not in m["model_name"]})

    def some(share, change):
        for q in requests:
            if p(share):
                change(q)

    def params(share, change):
        for m in ml:
            if p(share):
                change(m["litellm_params"])

    def strategy():
        rs["routing_strategy"] = r.choice(["simple-shuffle", "least-busy", "latency-based-routing", "usage-based-routing-v2", "usage-based-routing", "cost-based-routing"])

    def key():
        limits = {"rpm_limit": r.choice([3, 8, 20]), "tpm_limit": r.choice([900, 4000, 15000]), "max_parallel_requests": r.choice([1, 2, 4]), "max_budget": r.choice([0.001, 0.01])}
        case.setdefault("keys", {})["sk-mutated"] = {a: b for a, b in limits.items() if p(0.45)} or {"rpm_limit": 5}
        some(0.6, lambda q: q.update(key="sk-mutated"))

    def alias():
        rs["model_group_alias"] = {"alias-1": r.choice(groups), "alias-2": {"model": r.choice(groups), "hidden": p(0.5)}}
        some(0.3, lambda q: q.update(model=r.choice(["alias-1", "alias-2"])))

    def wildcard():
        ml.append({"model_name": r.choice(["openai/*", "*", "vendor/*"]), "litellm_params": {"model": "openai/*"}, "model_info": {"id": "wild-mutated"}})
        some(0.3, lambda q: q.update(model=r.choice(["openai/gpt-4o", "openai/o3", "vendor/x1", "nothing-known"])))

    def streams():
        case["drain"] = 20
        some(0.4, lambda q: q.update(stream=True))

    def leaving():
        case["drain"] = 20

        def leave(q):
            at = round(round(r.uniform(0.05, 2.5), 3) + 0.0007, 4)
            if "disconnect_after" not in q:
                q["disconnect_at"] = at
        some(0.25, leave)

    def fallbacks():
        ls.pop("fallbacks", None)
        others = lambda g: [x for x in groups if x != g]
        rs["fallbacks"] = [{g: r.sample(others(g), min(len(groups) - 1, r.choice([1, 2, 3])))} for g in groups if len(groups) > 1 and p(0.8)]

    def body():
        own = {"num_retries": lambda: r.choice([0, 1, 2]), "timeout": lambda: r.choice([1, 2]), "disable_fallbacks": lambda: True, "fallbacks": lambda: r.sample(groups, 1),
               "max_fallbacks": lambda: r.choice([0, 1, 2]), "stream_timeout": lambda: 1, "n": lambda: r.choice([2, 3])}
        some(0.3, lambda q: (lambda name: q.setdefault("params", {}).update({name: own[name]()}))(r.choice(list(own))))

    def cache():
        ls["cache"] = True
        ls.setdefault("cache_params", {"type": "local", "ttl": r.choice([3, 10, 60])})
        some(1, lambda q: None if q.get("real_tokens") else q.setdefault("content", "question %d" % r.randrange(5)))

    RETRIES = ["RateLimitErrorRetries", "InternalServerErrorRetries", "TimeoutErrorRetries", "BadRequestErrorRetries", "AuthenticationErrorRetries"]
    changes = {
        "strategy": strategy, "alias": alias, "wildcard": wildcard, "streams": streams, "fallbacks": fallbacks, "body": body, "cache": cache,
        "enforced": lambda: rs.update(optional_pre_call_checks=["enforce_model_rate_limits"]),
        "pre-call": lambda: rs.update(enable_pre_call_checks=True),
        "parallel": lambda: rs.update(default_max_parallel_requests=r.choice([1, 2, 3])),
        "failover": lambda: rs.update(enable_weighted_failover=True),
        "cancel": lambda: gs.update(cancel_on_disconnect=not gs.get("cancel_on_disconnect", False)),
        "counted": lambda: gs.update(token_rate_limit_type=r.choice(["input", "output", "total"])),
        "order": lambda: params(0.5, lambda x: x.update(order=r.choice([1, 2, 3]))),
        "default": lambda: (rs if p(0.5) else ls).update(default_fallbacks=r.sample(groups, min(len(groups), r.choice([1, 2])))),
        "allowed": lambda: rs.update(allowed_fails=r.choice([0, 1, 3])),
        "limits": lambda: params(0.4, lambda x: x.update({r.choice(["rpm", "tpm"]): r.choice([3, 8, 500, 3000])})),
        "deployments": lambda: params(0.4, lambda x: x.update({r.choice(["num_retries", "cooldown_time", "timeout", "stream_timeout", "max_retries", "weight"]): r.choice([0, 1, 2, 3])})),
        "retries": lambda: rs.update(retry_policy={a: r.choice([0, 1, 2]) for a in r.sample(RETRIES, 2)}),
        "cooldown": lambda: rs.update(cooldown_time=r.choice([0, 1, 5, 30])),
        "depth": lambda: rs.update(max_fallbacks=r.choice([0, 1, 2, 4])),
        "longest": lambda: params(0.4, lambda x: x.update(max_tokens=r.choice([50, 200]))),
        "budgets": lambda: rs.update(provider_budget_config={"openai": {"budget_limit": r.choice([0.005, 0.02]), "time_period": "30s"}}),
        **({"key": key, "leaving": leaving} if proxy else {}),
    }
    names = r.sample(list(changes), r.choice([1, 2, 3, 4, 5]))
    for name in names:
        changes[name]()
    for part in [a for a in cf if cf[a] == {}]:
        del cf[part]
    case["doc"] += "; then " + ", ".join(names)


AWS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "none", "aws_region_name": "us-east-1"}
# Models whose price LiteLLM lists as our own table has it, and unknown ones ("m-x").
PROVIDERS = [("anthropic/claude-sonnet-4-5", {}), ("anthropic/claude-haiku-4-5", {}), ("gemini/gemini-2.5-flash", {}), ("gemini/gemini-2.5-pro", {}),
             ("bedrock/anthropic.claude-haiku-4-5-20251001-v1:0", AWS), ("bedrock/meta.llama3-70b-instruct-v1:0", AWS), ("azure/gpt-4.1", {"api_version": "2024-10-21"}),
             ("azure/gpt-4o", {"api_version": "2024-10-21"}), ("cerebras/llama3.1-8b", {}), ("minimax/MiniMax-M2", {}),
             *[(provider + "/m-x", {}) for provider in ("nvidia_nim", "deepinfra", "sambanova", "xai", "deepseek", "mistral", "openrouter", "databricks", "hosted_vllm")]]


def providers(case, r):
    """puts most deployments at other providers, and lets connections be lost"""
    for m in case["config"]["model_list"]:
        if "*" not in m["litellm_params"]["model"] and r.random() < 0.75:
            model, extra = r.choice(PROVIDERS)
            m["litellm_params"].update({"model": model, **extra})
        rules = case["upstream"].setdefault(m["model_info"]["id"], [])
        if r.random() < 0.4:
            t = max(q["t"] for q in case["requests"])
            start = r.uniform(0, 0.7) * t
            edge = lambda x: round(int(x * 1000) / 1000 + 0.0005, 4)
            which = {"conn_error": True} if r.random() < 0.5 else {"status": r.choice([403, 409, 413, 422, 500, 502, 503, 529])}
            rules.insert(0, {"t": [edge(start), edge(start + r.uniform(0.05, 0.4) * t)], **which, "latency": (r.randrange(20, 500) | 1) / 1000})
    for m in case["config"]["model_list"]:
        if r.random() < 0.1:
            m["litellm_params"].update(r.choice([{"drop_params": True}, {"additional_drop_params": ["n", "seed"]}, {"allowed_openai_params": ["n"]}, {"seed": 7}, {"n": 2}]))
    for q in case["requests"]:
        if r.random() < 0.2:
            q.setdefault("params", {}).update(r.choice([{"n": r.choice([1, 2])}, {"seed": 7}, {"presence_penalty": 0.5}, {"logprobs": True}, {"stop": ["x"]}, {"n": 2, "drop_params": True}]))
    if r.random() < 0.1:
        case["config"].setdefault("litellm_settings", {})["drop_params"] = True
    case["doc"] += "; at several providers"


BASES = ["azure/gpt-4o", "gpt-4o", "gpt-4o-mini", "azure/gpt-4o-mini", "gpt-4", "openai/gpt-4", "claude-haiku-4-5", "zeta"]
PATTERNS = [("openai/*", "openai/*", {}), ("*", "openai/*", {}), ("oa-*", "openai/*", {}), ("oa-*-x", "openai/*", {}), ("az-*", "azure/*", {"api_version": "2024-10-21"}),
            ("an-*", "anthropic/*", {}), ("openai/gpt-*", "openai/gpt-*", {})]
FILLED = ["openai/gpt-4o", "openai/gpt-4", "openai/zeta", "gpt-4", "gpt-4o-mini", "oa-gpt-4", "oa-gpt-4o", "oa-gpt-4-x", "oa-zeta", "az-gpt-4o", "az-mine", "an-claude-haiku-4-5", "an-zeta", "other"]


def models(case, r):
    """names and lengths of models: base_model, patterns, windows"""
    cf, ml = case["config"], case["config"]["model_list"]
    for i, (pattern, model, extra) in enumerate(r.sample(PATTERNS, r.choice([1, 2, 3]))):
        for k in range(r.choice([1, 1, 2])):
            name = "filled-%d-%d" % (i, k)
            ml.append({"model_name": pattern, "litellm_params": {"model": model, **extra}, "model_info": {"id": name}})
            case["upstream"][name] = [{"status": 200, "latency": (r.randrange(200, 2500) | 1) / 1000}]
    for m in ml:
        if r.random() < 0.3:
            m["litellm_params"].update({"model": r.choice(["azure/mine", "azure/gpt-4o"]), "api_version": "2024-10-21"})
        if r.random() < 0.4:
            m[r.choice(["model_info", "model_info", "litellm_params"])]["base_model"] = r.choice(BASES)
        if r.random() < 0.3:
            m["model_info"]["max_input_tokens"] = r.choice([300, 1000, 5000])
        if r.random() < 0.2:
            m["model_info"]["max_output_tokens"] = r.choice([50, 200, 1000])
        if r.random() < 0.1:
            m["litellm_params"].update({"max_budget": r.choice([0.005, 0.02]), "budget_duration": "60s"})
    if r.random() < 0.7:
        cf.setdefault("router_settings", {})["enable_pre_call_checks"] = True
    if r.random() < 0.3:
        cf.setdefault("router_settings", {}).setdefault("model_group_alias", {})["other"] = r.choice(FILLED[:-1])
    for q in case["requests"]:
        if r.random() < 0.5:
            q["model"] = r.choice(FILLED)
        if "content" not in q and r.random() < 0.7:
            q.update({"prompt_tokens": r.choice([100, 400, 2000, 9000]), "real_tokens": True})
    if r.random() < 0.6 and "keys" not in case:
        case["keys"] = {"sk-a": {"max_budget": r.choice([0.02, 0.1, 0.4])}, "sk-b": {}}
        for q in case["requests"]:
            q["key"] = r.choice(["sk-a", "sk-b"])
    case["doc"] += "; with base models and patterns"


def dump(case):
    """one line per deployment, rule and request"""
    J = json.dumps
    def lst(v, pad):
        return "[\n" + ",\n".join(pad + " " + J(x) for x in v) + "\n" + pad + "]" if v else "[]"
    L = []
    for k, v in case.items():
        if k == "config":
            parts = []
            for a, b in v.items():
                if a == "model_list":
                    parts.append('  "model_list": ' + lst(b, "  "))
                else:
                    parts.append("  %s: {\n" % J(a) + ",\n".join("   %s: %s" % (J(x), J(y)) for x, y in b.items()) + "\n  }")
            L.append(' "config": {\n' + ",\n".join(parts) + "\n }")
        elif k == "upstream":
            L.append(' "upstream": {\n' + ",\n".join("  %s: %s" % (J(a), lst(b, "  ")) for a, b in v.items()) + "\n }")
        elif k == "requests":
            L.append(' "requests": ' + lst(v, " "))
        else:
            L.append(" %s: %s" % (J(k), J(v)))
    return "{\n" + ",\n".join(L) + "\n}\n"


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--seed", type=int, required=True)
    ap.add_argument("--n", type=int, default=40)
    ap.add_argument("--out", required=True)
    ap.add_argument("--prefix", default="g")
    ap.add_argument("--first", type=int, default=1)
    ap.add_argument("--narrow", action="store_true")
    ap.add_argument("--long", action="store_true")
    ap.add_argument("--mutate", action="store_true")
    ap.add_argument("--providers", action="store_true")
    ap.add_argument("--models", action="store_true")
    ap.add_argument("--topic", action="append", default=[])
    a = ap.parse_args()
    os.makedirs(a.out, exist_ok=True)
    for i in range(a.first, a.first + a.n):
        name = "%s%04d" % (a.prefix, i)
        rng = random.Random("%d/%d" % (a.seed, i))
        c = Gen(rng, a.narrow, a.topic, a.long).case(name)
        if a.mutate:
            mutate(c, rng)
        if a.providers:
            providers(c, rng)
        if a.models:
            models(c, rng)
        with open(os.path.join(a.out, name + ".json"), "w") as f:
            f.write(dump(c))


if __name__ == "__main__":
    main()
