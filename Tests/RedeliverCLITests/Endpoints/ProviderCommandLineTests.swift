import ArgumentParser
import ProviderAPI
import Testing

@testable import RedeliverCLI

/// What is refused before anything is sent.
@Suite struct ProviderCommandLineTests {
    private static let url = ["--url", "https://a.test/x"]

    @Test(
        arguments: [
            (["events", "--examples", "--raw", "--json"], "also without --raw"),
            (["events", "--json", "--csv"], "cannot be used together"),
            (["events", "--json", "--raw-csv"], "cannot be used together"),
            (["events", "--raw-csv", "--csv"], "cannot be used together"),
            (["endpoints", "create", "--from-json", "-"] + url, "give one form"),
            (["endpoints", "create", "--event", "a", "--event", "a"] + url, "'a' appears twice"),
            (["endpoints", "create", "--event", ""] + url, "is empty"),
            (["endpoints", "create", "--event", "a", "--url", "a.test"], "expected an absolute http or https address"),
            (["endpoints", "create", "--event", "a", "--header", "s3cret"] + url, "--header: expected NAME=VALUE"),
            (["endpoints", "create", "--event", "a", "--header", "=s3cret"] + url, "--header: expected NAME=VALUE"),
            (["endpoints", "create", "--event", "a", "--metadata", "s3cret"] + url, "--metadata: expected NAME=VALUE"),
            (["endpoints", "create", "--event", "a", "--header", "A=s3cret\n"] + url, "the value of A holds"),
            (["endpoints", "create", "--event", "a", "--header", "A B=s3cret"] + url, "'A B' is not a header's name"),
            (["endpoints", "update"] + url, "Missing expected argument '<endpoint>'"),
            (["endpoints", "update", ".."] + url, "'..' is not the name or id"),
            (["endpoints", "secret", ""], "'' is not the name or id"),
            (["endpoints", "secret", "rotate"], "Missing expected argument '<endpoint>'"),
            (["endpoints", "secret", "rotate", "e", "--output", "f", "--keep-old", "f"], "need two files"),
            (["endpoints", "secret", "show", "e", "--keep-old", "f"], "Unknown option '--keep-old'"),
            (["endpoints", "logs", "e", "--limit=-1"], "--limit: expected a number of entries"),
            (["endpoints", "logs", "e", "--limit", "many"], "--limit"),
            (["endpoints", "test", "e"], "Missing expected argument '--event <name>'"),
            (["endpoints", "test", "e", "--event", ""], "--event: expected the name"),
            (["endpoints", "test", "e", "--event", "a", "--wait", "--timeout", "5"], "'5' is invalid"),
            (["endpoints", "test", "e", "--event", "a", "--wait", "--timeout", "0s"], "'0s' is invalid"),
            // What our own checks would miss is there, but mistyped.
            (["events", "--raw", "--exampels"], "Unknown option '--exampels'"),
            (["endpoints", "create", "--ulr", "https://a.test"], "Unknown option '--ulr'"),
            (["endpoints", "update", "e", "--heder", "X=s3cret"], "Unknown option '--heder'"),
            (["endpoints", "test", "e", "--event", "a", "--timeout", "5s", "--wiat"], "Unknown option '--wiat'"),
            (["deliveries", "discard", "--state", "scheduled", "--per-second", "2"], "Unknown option '--per-second'"),
            (["deliveries", "retry", "7", "--raeson", "x"], "Unknown option '--raeson'"),
            (["deliveries", "requeue", "--sinse", "1h"], "Unknown option '--sinse'"),
        ] as [([String], String)])
    func `a wrong command line is refused with its reason`(arguments: [String], reason: String) {
        do {
            let command = try RedeliverCommand.parseAsRoot(arguments)
            Issue.record("\(arguments) is taken for \(command)")
        } catch {
            let message = RedeliverCommand.fullMessage(for: error)
            #expect(message.contains(reason), "\(message)")
            #expect(!message.contains("s3cret"))
            #expect(RedeliverCommand.exitCode(for: error) == .validationFailure)
        }
    }

    @Test func `a secret is shown by default, and an endpoint may be called rotate or show`() throws {
        let plain = try #require(
            try RedeliverCommand.parseAsRoot(["endpoints", "secret", "core"]) as? EndpointsCommand.SecretCommand.Show)
        #expect(plain.endpoint.endpoint == "core" && plain.output.output == nil)
        let named = try #require(
            try RedeliverCommand.parseAsRoot(["endpoints", "secret", "show", "rotate", "--output", "f"])
                as? EndpointsCommand.SecretCommand.Show)
        #expect(named.endpoint.endpoint == "rotate" && named.output.output == "f")
        let rotation = try #require(
            try RedeliverCommand.parseAsRoot(["endpoints", "secret", "rotate", "rotate", "--keep-old", "o"])
                as? EndpointsCommand.SecretCommand.Rotate)
        #expect(rotation.endpoint.endpoint == "rotate" && rotation.keepOld == "o")
    }

    @Test func `options become the fields of an endpoint`() throws {
        let arguments =
            ["endpoints", "update", "core", "--event", "a", "--event", "b", "--header", "X-K=a=b", "--metadata", "k="]
            + Self.url
        let update = try #require(try RedeliverCommand.parseAsRoot(arguments) as? EndpointsCommand.Update)
        let fields = try update.fields.fields()
        #expect(fields.names == ["url", "enabled_events", "custom_headers", "metadata"])
        #expect(fields.enabledEvents == ["a", "b"])
    }

    @Test func `a timeout is written as in the configuration`() {
        #expect(ArgumentDuration(argument: "90s")?.duration == .seconds(90))
        #expect(ArgumentDuration(argument: "1.5m")?.duration == .seconds(90))
        #expect(ArgumentDuration(argument: "soon") == nil)
    }
}
