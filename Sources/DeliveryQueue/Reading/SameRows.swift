/// Two configured endpoints whose logs show the same rows.
package struct SameRows: Sendable, Equatable {
    package let endpoint: String
    package let other: String
    /// How many rows were read twice.
    package let count: Int

    package init(endpoint: String, other: String, count: Int) {
        self.endpoint = endpoint
        self.other = other
        self.count = count
    }
}

extension QueueReader {
    /// The configured endpoints whose logs show the same rows, by name.
    package func sameRows() throws(StoreError) -> [SameRows] {
        try read("look for logs that show the same rows") { try $0.sameRows() }
    }
}

extension Session {
    /// The configured endpoints of which a failure's body was odd, by name, each with what was odd.
    package func oddBodies() throws -> [String] {
        try all(
            "SELECT name || ' (' || odd_body || ')' FROM endpoint WHERE active = 1 AND odd_body IS NOT NULL ORDER BY name"
        ) { $0.text() }
    }

    /// The configured endpoints whose logs show the same rows, by name.
    package func sameRows() throws -> [SameRows] {
        try all("SELECT endpoint, other, row_count FROM same_rows ORDER BY endpoint, other") {
            SameRows(endpoint: $0.text(), other: $0.text(), count: $0.int())
        }
    }
}
