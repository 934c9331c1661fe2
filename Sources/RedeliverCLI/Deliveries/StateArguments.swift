import ArgumentParser
import DeliveryQueue

extension DeliveryState: ExpressibleByArgument {
    /// What the help and the manual say of the value.
    package var defaultValueDescription: String {
        switch self {
        case .scheduled: "waits for its next attempt"
        case .attempting: "a retry call is in flight"
        case .awaiting: "called; the log is to show what came of it"
        case .delivered: "arrived"
        case .dead: "given up"
        }
    }
}

extension DeadReason: ExpressibleByArgument {
    /// What the help and the manual say of the value.
    package var defaultValueDescription: String { explanation }

    /// Why the delivery was given up, as a clause for people.
    var explanation: String {
        switch self {
        case .attempts: "its policy's attempts are used up"
        case .age: "its next attempt would have begun after its policy's max_age"
        case .rejected: "the provider refused the retry for good"
        case .superseded: "a newer event of its webhook, customer and type has arrived, and its policy says skip"
        case .discarded: "an operator discarded it"
        case .poison: "the provider answered its retries with 5xx while it took on others"
        }
    }
}
