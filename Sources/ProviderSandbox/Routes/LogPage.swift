/// One page of an endpoint's log as values, before names and envelope are chosen.
struct LogPage: Sendable {
    struct Entry: Sendable {
        let row: LogRow
        let delivery: Delivery
    }

    let endpointID: String
    /// Counts from 1.
    let number: Int
    /// The number of rows on all pages.
    let total: Int
    let hasNext: Bool
    let entries: [Entry]
}
