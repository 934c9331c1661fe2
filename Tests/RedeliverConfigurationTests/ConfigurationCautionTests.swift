import Foundation
import TestSupport
import Testing

@testable import RedeliverConfiguration

/// What works but is warned about.
@Suite struct ConfigurationCautionTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Writes a configuration and returns its cautions, each as `key: problem`.
    private func cautions(_ sample: ConfigurationSample, mode: Int = 0o600) throws -> [String] {
        let file = try folder.write("redeliver.yaml", sample.yaml)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return try WorkerConfiguration.load(path: file, environment: [:]).cautions.map { "\($0.key): \($0.problem)" }
    }

    private func secret(_ text: String, mode: Int = 0o600) throws -> String {
        let file = try folder.write("secret", text)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }

    @Test func `nothing is said of secrets that only their owner and a group may read`() throws {
        #expect(try cautions(ConfigurationSample(), mode: 0o640) == [])
        #expect(try cautions(ConfigurationSample(auth: "{token_file: \(try secret("t\n", mode: 0o640))}")) == [])
        // The token stands elsewhere.
        let file = ConfigurationSample(auth: "{token_file: \(try secret("t"))}")
        #expect(try cautions(file, mode: 0o644) == [])
    }

    @Test func `fewer requests than the polls alone need are named`() throws {
        func found(_ limit: String) throws -> [String] {
            try cautions(ConfigurationSample.with("poll.requests_per_minute", limit))
        }
        #expect(try found("1") == [])
        var many = ConfigurationSample.with("poll.requests_per_minute", "1")
        many.endpoints = "[{id: a}, {id: b}]"
        #expect(
            try cautions(many) == [
                "poll.requests_per_minute: 1 a minute are too few: to poll 2 endpoints every 1m takes at least 2; polls will "
                    + "come later"
            ])
    }

    @Test func `a secret in a configuration that everyone may read is named`() throws {
        let open = "every user of this machine may read this secret: its file has mode 0644"
        let found = try cautions(ConfigurationSample(), mode: 0o644)
        #expect(found.count == 1 && found[0].hasPrefix("provider.auth.token: \(open)"), "\(found)")
        let password = ConfigurationSample(auth: "{username: u, password: p}")
        #expect(try cautions(password, mode: 0o644).first?.hasPrefix("provider.auth.password: \(open)") == true)
    }

    @Test(arguments: [0o666, 0o604])
    func `a file of a secret that everyone may read is named`(mode: Int) throws {
        let token = ConfigurationSample(auth: "{token_file: \(try secret("t", mode: mode))}")
        let found = try cautions(token)
        #expect(found.count == 1 && found[0].hasPrefix("provider.auth.token_file: every user"), "\(found)")
        #expect(found[0].contains("mode 0\(String(mode, radix: 8))"))
    }

    @Test(arguments: [
        ("", "is empty"), ("\n\n", "is empty"), ("a b", "the token holds characters that no token has"),
        ("\u{FEFF}abc", "the token begins with a byte order mark"),
        ("Bearer abc", "the token begins with `Bearer `"), ("bearer abc\n", "the token begins with `Bearer `"),
    ]) func `a token that cannot work is named, and not shown`(text: String, problem: String) throws {
        let found = try cautions(ConfigurationSample(auth: "{token_file: \(try secret(text))}"))
        #expect(found.count == 1 && found[0].hasPrefix("provider.auth.token_file: "), "\(found)")
        #expect(found[0].contains(problem) && !found[0].contains("abc"), "\(found)")
    }

    @Test func `ids that differ only in upper and lower case are named`() throws {
        let sample = ConfigurationSample(endpoints: "[{id: ab-1}, {id: cd, name: x}, {id: AB-1, name: y}]")
        let problem = "differs from endpoints[0].id only in upper and lower case: is it another endpoint?"
        #expect(try cautions(sample) == ["endpoints[2].id: \(problem)"])
    }

    /// As a segment of the provider's address they would lead to another path.
    @Test(arguments: [".", ".."]) func `an id that is a step in a path is refused`(id: String) {
        let sample = ConfigurationSample(endpoints: "[{id: \"\(id)\", name: x}]")
        #expect(sample.problems() == ["endpoints[0].id: '\(id)' cannot be an id"])
    }
}
