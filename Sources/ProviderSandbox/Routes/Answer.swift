import HTTPTypes
import Hummingbird

/// The provider's answer, before a fault or compression changes how it is sent.
struct Answer: Sendable {
    let status: Int
    var body: [UInt8]
    var headers: HTTPFields = [.contentType: "application/json"]

    /// An answer whose body is JSON text.
    static func json(_ text: String, status: Int = 200) -> Answer {
        Answer(status: status, body: Array(text.utf8))
    }

    /// An error in the form of the vendor's framework.
    static func error(_ status: Int, _ detail: String) -> Answer {
        json("{\"detail\":\(JSONText.quoted(detail))}", status: status)
    }

    static let unauthorized = error(401, "Given token not valid for any token type")
    static let unknownPath = error(404, "Not found.")
    static let unknownEndpoint = error(404, "No such webhook endpoint.")

    /// The answer with its body compressed, when the request accepts that.
    func gzipped(for request: Request) throws -> Answer {
        guard !body.isEmpty, (request.headers[.acceptEncoding] ?? "").contains("gzip") else { return self }
        var answer = self
        answer.body = try Gzip.compress(body)
        answer.headers[.contentEncoding] = "gzip"
        answer.headers[.vary] = "Accept-Encoding"
        return answer
    }

    /// The answer as a response.
    func response() -> Response {
        Response(
            status: HTTPResponse.Status(code: status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
