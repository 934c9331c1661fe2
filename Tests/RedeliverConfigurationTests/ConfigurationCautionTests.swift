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

    @Test func `a limit of requests with which polls or calls come later is named`() throws {
        func found(_ limit: String) throws -> [String] {
            try cautions(ConfigurationSample.with("poll.requests_per_minute", limit))
        }
        let looks =
            "takes a look every 5s, 12 a minute"
        let rest =
            ", and the pages of the last 15m are read again every 5m; of five requests each purpose that waits gets one"
        #expect(try found("13") == [])
        #expect(
            try found("12") == [
                "poll.requests_per_minute: 12 a minute leave 11 beside the polls of 1 endpoint every 1m: an endpoint whose "
                    + "deliveries are called \(looks)\(rest); calls will come later"
            ])
        var many = ConfigurationSample.with("poll.requests_per_minute", "1")
        many.endpoints = "[{id: a}, {id: b}]"
        #expect(
            try cautions(many) == [
                "poll.requests_per_minute: 1 a minute are too few: to poll 2 endpoints every 1m takes at least 2; polls will "
                    + "come later. An endpoint whose deliveries are called \(looks), on top\(rest)"
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

    @Test(arguments: [
        ("\u{FF41}-1", "a-1", "Unicode form"), ("a\u{200B}-1", "a-1", "Unicode form"),
        ("\u{2460}n", "1n", "Unicode form"), ("a\u{E9}\u{FE0F}", "a\u{E9}", "Unicode form"),
        ("stra\u{DF}e", "strasse", "upper and lower case"), ("\u{C9}t\u{E9}", "\u{E9}t\u{E9}", "upper and lower case"),
        ("\u{FF21}-1", "a-1", "upper and lower case and in Unicode form"),
        ("A\u{2060}-1", "a-1", "upper and lower case and in Unicode form"),
    ]) func `ids that look alike are named, with their difference`(one: String, other: String, difference: String)
        throws
    {
        let sample = ConfigurationSample(endpoints: "[{id: \(one), name: x}, {id: \(other), name: y}]")
        let found = try cautions(sample)
        #expect(found.count == 1)
        #expect(found[0].hasPrefix("endpoints[1].id: differs from endpoints[0].id only in \(difference)"), "\(found)")
        #expect(found[0].hasSuffix(": is it another endpoint?"))
        #expect(difference.hasSuffix("form") == found[0].contains("(composed, wide or invisible characters)"))
    }

    @Test func `ids that are composed in two ways are refused`() {
        let sample = ConfigurationSample(endpoints: "[{id: caf\u{E9}, name: x}, {id: cafe\u{301}, name: y}]")
        let problem = "is the same as endpoints[0].id, composed in another way"
        #expect(sample.problems() == ["endpoints[1].id: 'cafe\u{301}' \(problem)"])
    }

    /// As a segment of the provider's address they would lead to another path.
    @Test(arguments: [".", ".."]) func `an id that is a step in a path is refused`(id: String) {
        let sample = ConfigurationSample(endpoints: "[{id: \"\(id)\", name: x}]")
        #expect(sample.problems() == ["endpoints[0].id: '\(id)' cannot be an id"])
    }
}
