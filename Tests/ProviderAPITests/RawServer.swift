import Foundation

/// A server on loopback that says exactly the bytes a test wants, on any free port, one thread for each connection.
final class RawServer: Sendable {
    /// One accepted connection. Blocking; only for its own thread.
    struct Connection {
        let socket: Int32

        /// Reads one request, head and announced body; nil when the client has closed.
        func readRequest() -> String? {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let text = String(decoding: bytes, as: UTF8.self)
                if let end = text.firstRange(of: "\r\n\r\n") {
                    let head = text[..<end.lowerBound].lowercased()
                    let length = head.firstMatch(of: /content-length: (\d+)/).flatMap { Int($0.1) } ?? 0
                    if text[end.upperBound...].utf8.count >= length { return text }
                }
                let count = recv(socket, &buffer, buffer.count, 0)
                if count <= 0 { return nil }
                bytes += buffer[..<count]
            }
        }

        /// False when the client has gone.
        @discardableResult
        func write(_ bytes: [UInt8]) -> Bool {
            send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
        }

        @discardableResult
        func write(_ text: String) -> Bool {
            write(Array(text.utf8))
        }
    }

    let port: UInt16
    private let listener: Int32

    var url: String { "http://127.0.0.1:\(port)" }

    /// `handle` gets each connection; it is closed when `handle` returns.
    init(_ handle: @escaping @Sendable (Connection) -> Void) throws {
        let (listener, port) = try Self.listen()
        (self.listener, self.port) = (listener, port)
        Thread.detachNewThread {
            while true {
                let socket = accept(listener, nil, nil)
                if socket < 0 { return }
                Thread.detachNewThread {
                    handle(Connection(socket: socket))
                    close(socket)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// A port that nobody listens on.
    static func closedPort() throws -> UInt16 {
        let (listener, port) = try listen()
        close(listener)
        return port
    }

    private static func listen() throws -> (Int32, UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && Glibc.listen(listener, 64) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRINUSE) }
        return (listener, UInt16(bigEndian: address.sin_port))
    }
}
