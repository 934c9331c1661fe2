import ArgumentParser
import Foundation
import Logging

/// `provider-sandbox`, a webhook provider for tests, with the receivers of its webhooks.
@main
struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "provider-sandbox",
        abstract: "Plays a webhook provider and its customers' receivers, and keeps a ledger of what happened.",
        discussion: """
            When it is ready, it prints one line of JSON with its addresses, endpoint ids and token. GET /_ledger shows \
            what arrived, POST /_control changes the running sandbox, GET /_health answers 200.
            """
    )

    @Option(help: "JSON file with the same names as the flags; flags override it.")
    var scenario: String?
    @Flag(help: "Log more, to standard error.")
    var verbose = false
    @OptionGroup var flags: ScenarioFlags

    mutating func run() async throws {
        let scenario = try readScenario()
        Self.stopAtOnceOnSignals()
        let level: Logger.Level = verbose ? .debug : .notice
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let logger = Logger(label: "provider-sandbox")
        let server = SandboxServer(scenario: scenario, logger: logger) { line in
            FileHandle.standardOutput.write(Data((line + "\n").utf8))
        }
        do {
            try await server.run()
        } catch {
            let ports = "--port \(scenario.port), --receiver-port \(scenario.receiverPort)"
            Self.complain(["the sandbox stopped (\(ports)): \(error)"])
            throw ExitCode(EX_UNAVAILABLE)
        }
    }

    /// Reads the file and the flags. Reports all faults at once and exits with 78 for a fault of the file, with 64 for
    /// one of the flags.
    private func readScenario() throws -> Scenario {
        var result = Scenario()
        let flagTexts = flags.texts
        var fileFaults: [String] = []
        if let scenario {
            do throws(Unreadable) {
                let fileTexts = try ScenarioTexts(contentsOf: scenario)
                fileFaults = fileTexts.overridden(by: flagTexts).apply(to: &result).map { "\(scenario): \($0)" }
            } catch {
                fileFaults = ["\(error)"]
            }
        }
        let flagFaults = flagTexts.apply(to: &result).map { "--\($0)" }
        let contradictions = fileFaults.isEmpty && flagFaults.isEmpty ? result.contradictions() : []
        let faults = fileFaults + flagFaults + contradictions
        guard faults.isEmpty else {
            Self.complain(faults)
            let isFault = !fileFaults.isEmpty || (flagFaults.isEmpty && scenario != nil)
            throw ExitCode(isFault ? EX_CONFIG : EX_USAGE)
        }
        return result
    }

    private static func complain(_ sentences: [String]) {
        for sentence in sentences {
            FileHandle.standardError.write(Data("provider-sandbox: \(sentence)\n".utf8))
        }
    }

    /// Exits at once. Everything that was answered is recorded, so open connections need no care.
    private static func stopAtOnceOnSignals() {
        for number in [SIGTERM, SIGINT] {
            signal(number) { _ in _exit(0) }
        }
    }
}
