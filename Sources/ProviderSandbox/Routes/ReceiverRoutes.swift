import Crypto
import HTTPTypes
import Hummingbird
import Logging

/// The customers' receivers, one path for each endpoint. They check the signature and answer as the scenario says.
struct ReceiverRoutes: HTTPResponder {
    let ledger: Ledger

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let buffer = try await request.body.collect(upTo: ProviderRoutes.maximumRequestBytes)
        let body = Array(buffer.readableBytesView)
        let prefix = "/receivers/"
        guard request.method == .post, request.uri.path.hasPrefix(prefix) else { return Response(status: .notFound) }

        let endpointID = String(request.uri.path.dropFirst(prefix.count))
        guard let secret = await ledger.secret(of: endpointID) else { return Response(status: .notFound) }
        let arrival = Arrival(
            endpointID: endpointID, taskJSON: header(WebhookSender.taskHeader, of: request),
            bodySHA256: Hex.text(of: SHA256.hash(data: body)),
            signatureIsValid: Signature.isValid(header("Webhook-Signature", of: request), of: body, secret: secret))
        try await Task.sleep(for: await ledger.receiverLatency)
        do {
            let status = try await ledger.receive(arrival)
            return Response(status: HTTPResponse.Status(code: status))
        } catch {
            context.logger.error("An arrival could not be recorded", metadata: ["error.message": "\(error)"])
            throw error
        }
    }

    private func header(_ name: String, of request: Request) -> String? {
        HTTPField.Name(name).flatMap { request.headers[$0] }
    }
}
