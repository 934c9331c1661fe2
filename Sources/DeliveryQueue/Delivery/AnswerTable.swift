/// What each kind of answer means: the only place that says so.
package enum AnswerTable {
    /// The wait after a first 404 before the call is repeated; long enough for a deployment.
    package static let notFoundPause = Duration.seconds(3_600)
    /// The wait of a delivery that is forbidden while logs may be read.
    package static let forbiddenPause = Duration.seconds(3_600)
    /// How long a redirected delivery waits itself, beside the hold of its endpoint.
    package static let redirectedPause = Duration.seconds(3_600)
    /// This many calls in a row without a 2xx, over all deliveries, are an outage of the provider.
    package static let outageLimit = 5
    /// A delivery is poison after this many 5xx answers in a row while others pass.
    package static let poisonLimit = 5
    /// An endpoint is held after this many different deliveries in a row were refused: our request format may be wrong,
    /// or what we may do.
    package static let refusedLimit = 3
    /// How long a hold after refusals or a redirect lasts before one call is tried.
    package static let holdPause = Duration.seconds(3_600)
    /// The same where the provider, or a proxy before it, refuses us whatever we send: such a fault is often short.
    package static let clientPause = Duration.seconds(300)

    /// How long a call waits at least after a refused credential; the gate itself opens only when a login works.
    package static let credentialPause = Duration.seconds(60)

    package static func row(_ answer: Answer) -> AnswerRow {
        switch answer {
        // The columns: whether it was executed, the gate, the delivery, the endpoint, the streak.
        case .accepted: AnswerRow(.yes, .recovers, .awaits, .endsHolds, .ends)
        case .uncertain: AnswerRow(.maybe, .countsBadAnswer, .awaits)
        case .serverError:
            AnswerRow(.maybe, .countsBadAnswer, .awaitsUnlessPoison(limit: poisonLimit), .none, .serverErrors)
        case .throttled: AnswerRow(.no, .pausesThrottled, .again(.gatesPause))
        case .unavailable: AnswerRow(.no, .pausesUnavailable, .again(.gatesPause))
        case .unreachable: AnswerRow(.no, .opensOutage, .again(.gatesPause))
        case .unauthorized: AnswerRow(.no, .refusesCredential, .again(.gatesPause))
        case .forbidden: AnswerRow(.no, .refusesCredential, .again(.gatesPause))
        case .deliveryForbidden:
            AnswerRow(
                .no, .staysOpen, .onceMoreIfOthersPass(.fixed(forbiddenPause)),
                .heldAfter(refusedLimit, .forbidden, pause: clientPause), .forbidden)
        case .notFound: AnswerRow(.no, .staysOpen, .onceMore(.fixed(notFoundPause)), .none, .notFound)
        case .rejected:
            AnswerRow(.no, .staysOpen, .dies, .heldAfter(refusedLimit, .rejected, pause: holdPause))
        case .redirected:
            AnswerRow(.no, .staysOpen, .again(.fixed(redirectedPause)), .held(.redirected, pause: holdPause))
        case .clientRefused:
            AnswerRow(.no, .staysOpen, .again(.fixed(clientPause)), .held(.clientRefused, pause: clientPause))
        case .bodyForm: AnswerRow(.no, .staysOpen, .again(.fixed(holdPause)), .held(.bodyForm, pause: holdPause))
        case .moved: AnswerRow(.no, .staysOpen, .again(.fixed(.zero)))
        case .late: AnswerRow(.notSent, .unused, .again(.fixed(.zero)))
        }
    }

    /// The answers by which the provider took the call on, as an SQL list of words.
    static let takenOn =
        "("
        + Answer.allCases.filter { row($0).execution == .yes }.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        + ")"
}
