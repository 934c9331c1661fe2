/// Which deliveries a person means. An empty list or nil asks nothing of that property; all that is asked must hold.
package struct DeliveryFilter: Sendable, Equatable {
    package var states: [DeliveryState] = []
    /// Of dead deliveries.
    package var reasons: [DeadReason] = []
    /// Exact names.
    package var eventTypes: [String] = []
    /// The provider's id.
    package var endpointID: String?
    package var customerID: String?
    /// First failed at this time or later.
    package var since: Timestamp?
    /// First failed before this time.
    package var until: Timestamp?

    package init() {}
}
