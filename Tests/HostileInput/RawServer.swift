import Foundation

/// A server on loopback that sends exactly the bytes of a test. Takes any free port and one thread for each connection.
package final class RawServer: Sendable {
    /// One accepted connection. Its calls block; only its own thread uses it.
    package struct Connection {
        package let socket: Int32

        /// Reads one request, head and announced body; nil when the client has closed.
        package func readRequest() -> String? {
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

        /// Sends the bytes; false when the client has gone.
        @discardableResult
        package func write(_ bytes: [UInt8]) -> Bool {
            send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
        }

        @discardableResult
        package func write(_ text: String) -> Bool {
            write(Array(text.utf8))
        }

        /// Makes the connection end with a reset, instead of a close, when the handler returns.
        package func reset() {
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        }

        /// Ends our direction of the connection and keeps the client's open.
        package func closeForWriting() {
            shutdown(socket, Int32(SHUT_WR))
        }

        /// Reads requests without an answer until the client has closed.
        package func wait() {
            while readRequest() != nil {}
        }

        /// Reads everything until the client has closed, at most `limit` bytes.
        package func readAll(limit: Int = 1 << 20) -> [UInt8] {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65536)
            while bytes.count < limit {
                let count = recv(socket, &buffer, buffer.count, 0)
                if count <= 0 { break }
                bytes += buffer[..<count]
            }
            return bytes
        }
    }

    package let port: UInt16
    private let listener: Int32

    package var url: String { "http://127.0.0.1:\(port)" }

    /// Starts to listen. `handle` gets each connection, which is closed when `handle` returns.
    package init(_ handle: @escaping @Sendable (Connection) -> Void) throws {
        let (listener, port) = try Self.listen()
        (self.listener, self.port) = (listener, port)
        Thread.detachNewThread {
            while true {
                let socket = accept(listener, nil, nil)
                if socket < 0 { return }
                // No handler may outlive its test for longer.
                var limit = timeval(tv_sec: 30, tv_usec: 0)
                setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
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

    /// A port that refuses connections. Stays bound without a listener until the process ends, so that no server of
    /// another test can get it.
    package static func closedPort() throws -> UInt16 {
        try listen(backlog: nil).1
    }

    /// A port for a server that cannot choose one itself. Another process may take it first.
    package static func freePort() throws -> UInt16 {
        let (socket, port) = try listen(backlog: nil)
        close(socket)
        return port
    }

    /// - Parameter backlog: nil binds a port and does not listen on it.
    fileprivate static func listen(backlog: Int32? = 64) throws -> (Int32, UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && backlog.map { Glibc.listen(listener, $0) == 0 } ?? true
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRINUSE) }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    /// Begins a connection and does not wait for it.
    fileprivate static func connect(to port: UInt16) -> Int32 {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return client
    }
}

/// A port whose queue of connections is full. One more connection is neither accepted nor refused.
package final class FullListener: Sendable {
    package let port: UInt16
    private let sockets: [Int32]

    package var url: String { "http://127.0.0.1:\(port)" }

    package init() throws {
        let (listener, port) = try RawServer.listen(backlog: 0)
        self.port = port
        // Linux accepts one more than the backlog. Further connections wait.
        let fillers = (0..<4).map { _ in RawServer.connect(to: port) }
        sockets = fillers + [listener]
    }

    deinit {
        for socket in sockets { close(socket) }
    }
}
