/// What each kind of answer means: the only place that says so.
package enum AnswerTable {
    /// The wait before the one repetition after a 404; long enough for a deploy window.
    package static let notFoundPause = Duration.seconds(3_600)
    /// A redirected call waits this long beside its endpoint's hold.
    package static let redirectedPause = Duration.seconds(3_600)
    /// 5xx answers in a row to one delivery, while others pass, that make it poison.
    package static let poisonLimit = 5
    /// Different deliveries in a row, all refused, after which their endpoint is held: our own format is suspect.
    package static let refusedLimit = 3
    /// How long an endpoint is held after refusals or a redirect before one more try.
    package static let holdPause = Duration.seconds(3_600)

    package static func row(_ answer: Answer) -> AnswerRow {
        switch answer {
        // The columns: executed?, the gate, the delivery, the endpoint, the row of answers that it counts in.
        case .accepted: AnswerRow(.yes, .recovers, .awaits, .endsHolds, .ends)
        case .uncertain: AnswerRow(.maybe, .countsBadAnswer, .awaits)
        case .serverError:
            AnswerRow(.maybe, .countsBadAnswer, .awaitsUnlessPoison(limit: poisonLimit), .none, .serverErrors)
        case .throttled: AnswerRow(.no, .pausesThrottled, .again(.gatesPause))
        case .unavailable: AnswerRow(.no, .pausesUnavailable, .again(.gatesPause))
        case .unreachable: AnswerRow(.no, .opensOutage, .again(.gatesPause))
        case .unauthorized: AnswerRow(.no, .refusesCredential, .again(.gatesPause))
        case .forbidden: AnswerRow(.no, .refusesCredential, .again(.gatesPause))
        case .notFound: AnswerRow(.no, .staysOpen, .onceMore(.fixed(notFoundPause)), .none, .notFound)
        case .rejected:
            AnswerRow(.no, .staysOpen, .dies, .heldAfter(refusedLimit, .rejected, pause: holdPause))
        case .redirected:
            AnswerRow(.no, .staysOpen, .again(.fixed(redirectedPause)), .held(.redirected, pause: holdPause))
        }
    }
}
