import Testing

@testable import ProviderAPI

/// A server before the provider that wants our certificate answers itself. Such an answer is about us, not about a
/// delivery.
@Suite struct ClientCertificateTests {
    private func answer(_ status: Int, _ type: String, _ body: String) -> HTTPResponse {
        HTTPResponse(status: status, headers: [HTTPHeader("Content-Type", type)], body: Array(body.utf8))
    }

    @Test(arguments: ["The SSL certificate error", "No required SSL certificate was sent"])
    func `nginx's own page holds everything and gives nothing up`(_ title: String) {
        let page = answer(400, "text/html", "<html>\r\n<head><title>400 \(title)</title></head>\r\n")
        #expect(RetryAnswer(page, toRetryOf: [], now: 0).kind == .forbidden)
        guard case .credential(let reason) = ProviderError.reason(of: page, now: 0) else {
            Issue.record("no credential")
            return
        }
        #expect(reason.contains("provider.client_certificate"))
    }

    /// A provider may report a receiver's trouble with certificates. That must not stop all other deliveries.
    @Test(arguments: [
        ("application/json", #"{"error": "SSL certificate problem: unable to get local issuer certificate"}"#),
        ("text/html", "<title>400 Bad Request</title> the SSL certificate error of your endpoint"),
        ("text/plain", "<title>400 The SSL certificate error</title>"),
    ]) func `what a provider says of certificates is about the delivery`(type: String, body: String) {
        let answer = answer(400, type, body)
        #expect(RetryAnswer(answer, toRetryOf: [], now: 0).kind == .rejected)
        #expect(ProviderError.reason(of: answer, now: 0) == .rejected(status: 400))
    }
}
