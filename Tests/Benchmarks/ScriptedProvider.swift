import ProviderAPI
import Synchronization

/// A provider in memory: hands out the pages of one log and counts how often it is asked.
final class ScriptedProvider: HTTPTransport {
    private let pages: [[UInt8]]
    private let asked = Atomic(0)

    init(_ pages: LogPages) {
        self.pages = pages.bytes
    }

    var requests: Int { asked.load(ordering: .relaxed) }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        asked.add(1, ordering: .relaxed)
        let number = request.url.split(separator: "page=").dropFirst().first.flatMap { Int($0) } ?? 0
        guard pages.indices.contains(number) else { return HTTPResponse(status: 404) }
        return HTTPResponse(status: 200, body: pages[number])
    }
}
