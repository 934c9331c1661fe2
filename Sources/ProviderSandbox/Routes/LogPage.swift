/// One page of an endpoint's log as values, before names and envelope are chosen.
struct LogPage: Sendable {
    struct Entry: Sendable {
        let row: LogRow
        let delivery: Delivery
    }

    let endpointID: String
    /// The number of rows on all pages.
    let total: Int
    /// Where its link leads; nil: it has none.
    let next: PageAddress?
    let entries: [Entry]
}
