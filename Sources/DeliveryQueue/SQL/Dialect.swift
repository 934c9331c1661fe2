/// The SQL that only SQLite has, each with its reason. Everything else in the program's statements is standard, or the
/// same in PostgreSQL; another engine brings its own words for these.
enum Dialect {
    // MARK: - Which index, in which order

    /// Operators' retries. Without it SQLite looks at every due delivery.
    static let byManual = "INDEXED BY delivery_manual"
    /// Scheduled deliveries in line. Without it SQLite sorts everything that the endpoint has scheduled.
    static let byLine = "INDEXED BY delivery_line"
    /// Called deliveries. Without it SQLite looks at every delivery that the endpoint ever had.
    static let byWaiting = "INDEXED BY delivery_waiting"
    /// Deliveries whose call is in flight, which are the fewest.
    static let byLease = "INDEXED BY delivery_leased"
    /// Deliveries of one customer, which are few. Without it SQLite begins with all deliveries of the endpoint.
    static let byCustomer = "INDEXED BY delivery_customer"
    /// Unconfirmed calls of a day, which are few.
    static let byUnconfirmed = "INDEXED BY attempt_unconfirmed"
    /// A join that begins with its left side: the few rows there lead to the rows on the right by an index.
    static let joinInOrder = "CROSS JOIN"

    // MARK: - Functions

    /// The greater of two values. Neither may be NULL.
    static func greatest(_ first: String, _ second: String) -> String { "max(\(first), \(second))" }

    /// The lesser of two values. Neither may be NULL.
    static func least(_ first: String, _ second: String) -> String { "min(\(first), \(second))" }

    /// A column for which SQLite must not choose an index.
    static func unindexed(_ column: String) -> String { "+\(column)" }
}
