import DeliveryQueue
import ProviderAPI

/// Judges the provider's answers: whether it is there and accepts us, which logs can be read, and whose clock is wrong.
enum ProviderJudgement {
    static func findings(_ facts: DoctorFacts) -> [Finding] {
        switch facts.provider {
        case .failure(let unknown):
            ["provider", "credential", "clock"].map { Finding($0, .unknown, unknown.cause) }
        case .success(let answers):
            [reachable(answers), credential(answers)] + answers.map(endpoint) + answers.compactMap(paging)
                + [clock(answers)]
        }
    }

    private static func reachable(_ answers: [EndpointReading]) -> Finding {
        let name = "provider"
        let outcomes = answers.compactMap(\.outcome)
        if outcomes.contains(where: answered) { return Finding(name, .ok, "reachable") }
        guard case .failure(let error) = outcomes.first else { return Finding(name, .unknown, "nothing was asked") }
        switch error.kind {
        case .credential: return Finding(name, .unknown, "not asked: the credential cannot be used")
        default: return Finding(name, .bad, "\(error)", advice: "nothing can be polled or retried until it answers")
        }
    }

    /// Whether the provider itself answered, whatever the answer was.
    private static func answered(_ outcome: Result<EndpointReading.Page, ProviderError>) -> Bool {
        guard case .failure(let error) = outcome else { return true }
        return switch error.kind {
        case .unreachable, .unknownOutcome, .credential, .cancelled: false
        case .unauthorized, .forbidden, .endpointNotFound, .throttled, .unavailable, .unreadableAnswer,
            .answerTooLarge, .redirected, .rejected:
            true
        }
    }

    private static func credential(_ answers: [EndpointReading]) -> Finding {
        let name = "credential"
        let outcomes = answers.compactMap(\.outcome)
        let isRead = outcomes.contains { if case .success = $0 { true } else { false } }
        var isKnown = isRead
        for outcome in outcomes {
            guard case .failure(let error) = outcome else { continue }
            switch error.kind {
            case .unauthorized:
                return Finding(name, .bad, "\(error)", advice: "renew the token, or correct provider.auth")
            // It is about that endpoint.
            case .forbidden where isRead: continue
            case .credential, .forbidden:
                // The error of a credential says what to do.
                return Finding(
                    name, .bad, "\(error)", advice: "all deliveries are held; the daemon tries again every 5 min")
            case .endpointNotFound, .unreadableAnswer, .answerTooLarge: isKnown = true
            case .throttled, .unavailable, .unreachable, .unknownOutcome, .redirected, .rejected, .cancelled: continue
            }
        }
        return isKnown
            ? Finding(name, .ok, "accepted") : Finding(name, .unknown, "no answer says whether the provider accepts it")
    }

    private static func endpoint(_ answer: EndpointReading) -> Finding {
        let name = "endpoint \(answer.name)"
        let time = "\(answer.duration.wholeMilliseconds) ms"
        switch answer.outcome {
        case nil: return Finding(name, .unknown, "not asked, because the provider does not answer us")
        case .success(let page) where page.unreadable > 0:
            return Finding(
                name, .warning,
                "\(page.unreadable) of \(page.entries) entries on its first page cannot be read (\(time))",
                advice: "look at `SELECT reason, detail FROM unreadable_entry` and correct provider.log_fields")
        case .success(let page):
            return Finding(name, .ok, "HTTP 200 in \(time), \(page.entries) entries on its first page")
        case .failure(let error):
            return Finding(
                name, error.kind == .throttled ? .warning : .bad, "\(error) (\(time))",
                advice: error.kind == .throttled ? "ask again later" : nil)
        }
    }

    /// What is wrong with the link to a log's second page; nil when nothing is, or nothing is known of it.
    private static func paging(_ answer: EndpointReading) -> Finding? {
        guard case .success(let page) = answer.outcome else { return nil }
        let name = "paging \(answer.name)"
        if let fault = page.nextFault {
            return Finding(
                name, .bad, "\(fault)",
                advice: "the first page is used, and what is behind it is not read; correct provider.log_fields.next, "
                    + "or tell the provider")
        }
        guard let correction = page.nextCorrection else { return nil }
        let faults = [
            correction.origin.map { "names \($0)" }, correction.prefix.map { "lacks \($0), the path of base_url" },
        ].compactMap { $0 }.joined(separator: " and ")
        return Finding(
            name, .warning,
            "the provider's link to the next page \(faults); its path and query are followed at base_url, and the token "
                + "goes nowhere else",
            advice: "nothing is lost; to mend it, let the proxy before the provider pass on the host, scheme and path "
                + "that it is asked for (X-Forwarded-Host, X-Forwarded-Proto, X-Forwarded-Prefix)")
    }

    // MARK: - Clock

    /// From this difference on the order of events looks wrong.
    private static let noticeable = Duration.seconds(2)

    private static func clock(_ answers: [EndpointReading]) -> Finding {
        let name = "clock"
        guard let skew = answers.lazy.compactMap(skew).first else {
            return Finding(name, .unknown, "no answer carries the provider's time")
        }
        let seconds = abs(skew.inSeconds)
        let found =
            seconds < 0.05
            ? "agrees with the provider's"
            : "the provider's is \((seconds * 10).rounded() / 10) s \(skew > .zero ? "ahead" : "behind")"
        if seconds > RetryRules.clockTolerance.inSeconds {
            return Finding(
                name, .bad, found,
                advice:
                    "beyond 10 s failed retries are not recognised; switch NTP on, on this machine or at the provider")
        }
        if seconds > noticeable.inSeconds { return Finding(name, .warning, found, advice: "check that NTP is on") }
        return Finding(name, .ok, found)
    }

    /// How far the provider's clock is ahead at least, because its `Date` has whole seconds and the answer took time.
    private static func skew(_ answer: EndpointReading) -> Duration? {
        guard case .success(let page) = answer.outcome, let server = page.serverTime else { return nil }
        let ahead = server - answer.answered
        let behind = server + .seconds(1) - answer.asked
        if ahead > .zero { return ahead }
        return behind < .zero ? behind : .zero
    }
}
