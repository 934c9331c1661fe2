/// Selects deliveries for a person. An empty list or nil matches all; a delivery must match everything that is set.
package struct DeliveryFilter: Sendable, Equatable {
    package var states: [DeliveryState] = []
    /// Why they died. Only dead deliveries match then.
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
