import Foundation
import ProviderAPI
import Testing

@testable import RedeliverCLI

@Suite struct VerifyReportTests {
    /// The test case 2 of RFC 4231, with its secret in a file.
    private func match(_ body: String) throws -> (match: WebhookSignature.Match?, path: String) {
        let file = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("Jefe".utf8).write(to: file)
        let signature = try WebhookSignature("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=")
        return (signature.match(body: Array(body.utf8), secrets: [try WebhookSecret(path: file.path)]), file.path)
    }

    @Test func `a valid signature names the form and the file`() throws {
        let (match, path) = try match("what do ya want for nothing?")
        let report = VerifyReport(match)
        #expect(report.text(on: .plain) == "valid: form raw, secret file \(path)")
        #expect(
            try JSONOutput.text(report) == """
                {
                  "form" : "raw",
                  "secret_file" : "\(path)",
                  "valid" : true
                }
                """)
    }

    @Test func `an invalid signature names neither`() throws {
        let report = VerifyReport(try match("what do ya want?").match)
        #expect(
            report.text(on: .plain)
                == "not valid: no secret fits, neither for the raw body nor for its json.dumps form")
        #expect(try JSONOutput.text(report) == "{\n  \"valid\" : false\n}")
    }
}
