import Crypto

/// SHA-256 of a body: matches log entries to deliveries, and stays as evidence when the body itself is dropped.
package enum BodyDigest {
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(data: bytes))
    }
}
