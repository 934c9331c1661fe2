import Foundation

/// What the command line says of itself (`--experimental-dump-help`): the source of the help, the manual and the
/// shells' completions.
struct CommandTree: Decodable {
    struct Argument: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String
        }

        let kind: String
        /// nil: a positional argument.
        let names: [Name]?
        let valueName: String?
        let abstract: String?
        let discussion: String?
        let defaultValue: String?
        let allValues: [String]?
        let allValueDescriptions: [String: String]?

        /// `--json`, or `<file>`.
        var label: String { longName.map { "--\($0)" } ?? "<\(valueName ?? "")>" }
        var longName: String? { names?.first { $0.kind == "long" }?.name }
    }

    let commandName: String
    let abstract: String?
    let discussion: String?
    let subcommands: [CommandTree]?
    let arguments: [Argument]?

    /// Asks the built program.
    init(of program: String, _ bench: Bench) async throws {
        struct Dump: Decodable { let command: CommandTree }
        let dump = try await bench.run(program, ["--experimental-dump-help"])
        self = try JSONDecoder().decode(Dump.self, from: Data(dump.output.utf8)).command
    }

    /// Every command below and including this one, with the words that call it.
    var all: [(path: [String], command: CommandTree)] { flattened(below: []) }

    /// Without `help`, which is the parser's.
    private func flattened(below parents: [String]) -> [(path: [String], command: CommandTree)] {
        let path = parents + [commandName]
        let own = (subcommands ?? []).filter { $0.commandName != "help" }
        return [(path, self)] + own.flatMap { $0.flattened(below: path) }
    }
}
