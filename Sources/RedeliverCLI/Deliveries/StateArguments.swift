import ArgumentParser
import DeliveryQueue

extension DeliveryState: ExpressibleByArgument {
    /// The value's text in the help and the manual.
    package var defaultValueDescription: String {
        switch self {
        case .scheduled: "waits for its next attempt"
        case .attempting: "a retry call is in flight"
        case .awaiting: "called; the log should show the result"
        case .delivered: "arrived"
        case .dead: "given up"
        }
    }
}

extension DeadReason: ExpressibleByArgument {
    /// The value's text in the help and the manual.
    package var defaultValueDescription: String { explanation }

    /// Why the delivery was given up, as a clause.
    var explanation: String {
        switch self {
        case .attempts: "all attempts of its policy are used"
        case .age: "its next attempt would be later than its policy's max_age"
        case .rejected: "the provider refused the retry for good"
        case .superseded: "a newer event of the same webhook, customer and type has arrived, and its policy says skip"
        case .discarded: "an operator discarded it"
        case .poison: "the provider answered its retries with 5xx while it accepted others"
        }
    }
}
