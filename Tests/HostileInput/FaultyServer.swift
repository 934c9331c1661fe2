import Synchronization

/// A provider on loopback that answers well, except that one request to one path meets a fault.
package final class FaultyServer: Sendable {
    /// The state that the threads of its connections share with the test.
    private final class Record: Sendable {
        struct State {
            var isOver = false
            var wasReused = false
            var skipped = 0
        }

        let state = Mutex(State())

        /// Whether the fault must happen now; true only once.
        func isDue(after skipped: Int) -> Bool {
            state.withLock { state in
                guard !state.isOver else { return false }
                guard state.skipped >= skipped else {
                    state.skipped += 1
                    return false
                }
                state.isOver = true
                return true
            }
        }
    }

    private let record: Record
    private let server: RawServer

    package var url: String { server.url }
    /// Whether a request came over the connection that the fault had spoilt.
    package var wasReused: Bool { record.state.withLock { $0.wasReused } }
    /// Whether the fault has happened.
    package var isOver: Bool { record.state.withLock { $0.isOver } }

    /// Starts the server.
    ///
    /// - Parameters:
    ///   - path: the path without its query.
    ///   - skipped: the number of connections that a fault before the first request spares.
    ///   - good: the usual answer of each path.
    package init(
        _ fault: NetworkFault, at path: String, skipped: Int = 0, good: @escaping @Sendable (_ path: String) -> String
    ) throws {
        let record = Record()
        self.record = record
        server = try RawServer { connection in
            if fault.truth == .unread, record.isDue(after: skipped) { return fault.happen(on: connection, good: "") }
            while let request = connection.readRequest() {
                let target = request.split(separator: " ").dropFirst().first.map(String.init) ?? ""
                let asked = String(target.prefix { $0 != "?" })
                guard fault.truth != .unread, asked == path, record.isDue(after: 0) else {
                    connection.answer(good(asked), closes: true)
                    return
                }
                fault.happen(on: connection, good: good(asked))
                switch fault.after {
                case .good: continue
                case .closed: return
                case .spoilt:
                    if connection.readRequest() != nil { record.state.withLock { $0.wasReused = true } }
                    return
                }
            }
        }
    }
}
