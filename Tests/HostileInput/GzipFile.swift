/// Makes gzip files (RFC 1952) whose contents are stored and not packed, so that any text becomes one in a few lines.
package enum GzipFile {
    /// One member with this content, of at most 65,535 bytes.
    package static func member(_ content: some Collection<UInt8>) -> [UInt8] {
        let length = UInt16(content.count)
        let head: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1]
        return head + littleEndian(length) + littleEndian(~length) + content + littleEndian(checksum(content))
            + littleEndian(UInt32(content.count))
    }

    /// The forms of a gzip answer that are lawful or usual, and that not every reader knows.
    package static let forms: [(name: String, coding: String, make: @Sendable ([UInt8]) -> [UInt8])] = [
        (
            "gzip of two members", "gzip",
            { member($0.prefix($0.count / 2)) + member($0.suffix($0.count - $0.count / 2)) }
        ),
        ("gzip of an empty member and another", "gzip", { member([]) + member($0) }),
        ("gzip with zero bytes behind it", "gzip", { member($0) + [UInt8](repeating: 0, count: 700) }),
        ("x-gzip", "x-gzip", { member($0) }),
        ("gzip in capitals and beside identity", "identity, GZIP", { member($0) }),
        ("gzip of a text with a byte order mark", "gzip", { member([0xEF, 0xBB, 0xBF] + $0) }),
    ]

    private static func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<(Number.bitWidth / 8)).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    private static func checksum(_ content: some Sequence<UInt8>) -> UInt32 {
        ~content.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
    }
}

extension NetworkFault {
    /// Good answers in each of the forms.
    static let packed: [NetworkFault] = GzipFile.forms.map { form in
        NetworkFault(form.name, .good, then: .good) { connection, good in
            let body = form.make(Array(good.utf8))
            connection.write(
                "HTTP/1.1 200 OK\r\nContent-Encoding: \(form.coding)\r\nContent-Length: \(body.count)\r\n\r\n")
            connection.write(body)
        }
    }
}
