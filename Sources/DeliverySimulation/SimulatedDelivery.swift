/// The truth about an event on its way to a simulated receiver. The worker has to find it out from the log.
package struct SimulatedDelivery: Sendable, Equatable {
    package let number: Int
    package let eventType: String
    /// The time of its first delivery attempt.
    package let tried: Duration
    /// True when it was tried in the outage and failed.
    package let isAffected: Bool
    /// True when its first delivery failed, for any reason.
    package let hasFailed: Bool
    /// When it first reached the receiver; nil when it has not.
    package var arrived: Duration?
    /// Retry calls that the provider carried out for it.
    package var retries = 0
    /// How often it reached the receiver.
    package var arrivals = 0

    /// Different for each event, so that no event supersedes another and a retry's content identifies it.
    var customerID: String { "c\(number)" }
    var body: String { "{\"event\": \(number)}" }
}
