import ArgumentParser
import DeliveryQueue
import Foundation
import RedeliverConfiguration
import Testing

@testable import RedeliverCLI

/// What a command knows of the configuration when it is told the database.
@Suite struct DatabaseOptionTests {
    private func option(_ text: String?, named name: String = "redeliver.yaml") throws -> DatabaseOption {
        let folder = FileManager.default.temporaryDirectory.appending(path: "redeliver-cli-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: name)
        if let text { try Data(text.utf8).write(to: file) }
        return try DatabaseOption.parse(["--database", "/data/queue.db", "--config", file.path])
    }

    /// Without the ramp an operator's resume makes all held deliveries due at once.
    @Test func `the rules of a resume are the configuration's, also for those who may not have its secrets`() throws {
        let option = try option(
            """
            provider: {base_url: "https://api.test", auth: {token_env: NOT_SET_FOR_ON_CALL}}
            endpoints: [{id: e-1}]
            database: other.db
            circuit: {ramp: false}
            """)

        #expect(try option.settings().rules.circuit.rampLimit == nil)
        #expect(try option.path() == "/data/queue.db")
        #expect(throws: ConfigurationError.self) { try option.configuration.load() }
    }

    @Test(arguments: [nil, "provider: [", "circuit: {ramp: maybe}"] as [String?])
    func `no default stands for a configuration that is missing or faulty`(_ text: String?) throws {
        let option = try option(text)

        #expect(throws: ConfigurationError.self) { try option.settings() }
        #expect(try option.path() == "/data/queue.db")
    }
}
