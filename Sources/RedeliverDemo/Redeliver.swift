import Foundation

/// The `redeliver` program: its daemon and its command `status`.
struct Redeliver {
    /// The part of `redeliver status --json` that the demo reads.
    struct Status: Decodable {
        struct Totals: Decodable {
            let scheduled: Int
            let attempting: Int
            let awaiting: Int
            let held: Int
            let delivered: Int
            let dead: Int

            var open: Int { scheduled + attempting + awaiting }
        }

        let totals: Totals
        let retryCalls: Int
    }

    let program: URL
    let folder: DemoFolder

    func start() throws -> Program {
        try Program.start(program, ["run", "--config", folder.configuration.path], output: folder.daemonOutput)
    }

    /// Asks for the status.
    ///
    /// - Throws: until the daemon has created its database.
    func status() throws -> Status {
        let arguments = ["status", "--json", "--database", folder.database.path]
        guard let text = try Program.output(of: program, arguments) else { throw DemoError("no status yet") }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Status.self, from: Data(text.utf8))
    }

    func statusText() throws -> String {
        try Program.output(of: program, ["status", "--database", folder.database.path]) ?? "no status"
    }
}
