/// An entry's body, hashed at most once, and only when somebody asks.
struct HashedBody {
    /// Empty when the entry has none.
    let bytes: [UInt8]
    let isMissing: Bool
    private var sha256: [UInt8]?

    init(_ bytes: [UInt8]?) {
        self.bytes = bytes ?? []
        isMissing = bytes == nil
    }

    mutating func digest() -> [UInt8] {
        let digest = sha256 ?? BodyDigest.sha256(bytes)
        sha256 = digest
        return digest
    }

    /// The first eight bytes of the digest: enough to tell the bodies of one task apart.
    mutating func mark() -> Int64 {
        digest().prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }
}
