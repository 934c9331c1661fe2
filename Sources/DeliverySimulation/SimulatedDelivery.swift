/// An event on its way to a simulated receiver, as only the simulation can know it: the truth that the worker has to find
/// out from the log.
package struct SimulatedDelivery: Sendable, Equatable {
    package let number: Int
    package let eventType: String
    /// When its first delivery was tried.
    package let tried: Duration
    /// It was tried in the outage and failed.
    package let isAffected: Bool
    /// It failed at first, for whatever reason.
    package let hasFailed: Bool
    /// When it reached the receiver first; nil: not yet.
    package var arrived: Duration?
    /// Retry calls that the provider carried out for it.
    package var retries = 0
    /// How often it reached the receiver.
    package var arrivals = 0

    /// Different for each: nothing supersedes anything, and a retry can be told by its content.
    var customerID: String { "c\(number)" }
    var body: String { "{\"event\": \(number)}" }
}
