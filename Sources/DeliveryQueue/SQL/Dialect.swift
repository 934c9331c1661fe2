/// The SQL that only SQLite has, each with its reason. Everything else in the program's statements is standard, or the same in
/// PostgreSQL; another engine brings its own words for these.
enum Dialect {
    // MARK: - Which index, in which order

    /// Operators' retries. Without it SQLite looks at all that is due.
    static let byManual = "INDEXED BY delivery_manual"
    /// What waits for its turn, in the order of its line. Without it SQLite sorts all that the endpoint has scheduled.
    static let byLine = "INDEXED BY delivery_line"
    /// Called deliveries. Without it SQLite looks at all that the endpoint ever had.
    static let byWaiting = "INDEXED BY delivery_waiting"
    /// Deliveries whose call is in flight, which are the fewest.
    static let byLease = "INDEXED BY delivery_leased"
    /// Deliveries of one customer, which are few. Without it SQLite begins with all of the endpoint.
    static let byCustomer = "INDEXED BY delivery_customer"
    /// Unconfirmed calls of a day, which are few.
    static let byUnconfirmed = "INDEXED BY attempt_unconfirmed"
    /// A join that begins with its left side: the few rows there lead to the rows on the right by an index.
    static let joinInOrder = "CROSS JOIN"

    // MARK: - Functions

    /// The greater of two values, of which neither is NULL.
    static func greatest(_ first: String, _ second: String) -> String { "max(\(first), \(second))" }

    /// The lesser of two values, of which neither is NULL.
    static func least(_ first: String, _ second: String) -> String { "min(\(first), \(second))" }

    /// Keeps a column out of the choice of an index.
    static func unindexed(_ column: String) -> String { "+\(column)" }
}
