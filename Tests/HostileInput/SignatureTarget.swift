import DeliverySimulation
import ProviderAPI

extension FuzzTarget {
    /// Bodies in the form of Python's `json.dumps`. The result must be ASCII and JSON, and stable when written again.
    static let signature = FuzzTarget(
        name: "signature", share: 10, samples: JSONReading.samples + PageReading.samples,
        make: { HostileJSON.value(&$0, depth: 4) },
        check: { bytes in
            let written = PythonJSON.dumps(bytes)
            // Python refuses a text with a byte order mark.
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
                return try Violation.unless(written == nil, "a mark was read")
            }
            guard let tree = ReferenceJSON(bytes), tree.depth <= 500 else { return }
            guard let written else { throw Violation("JSON was not written") }
            try Violation.unless(written.allSatisfy { $0 >= 0x20 && $0 < 0x7F }, "not plain ASCII")
            try Violation.unless(PythonJSON.dumps(written) == written, "written again it is another text")
            let hasConstant = ["NaN", "Infinity"].contains { String(decoding: written, as: UTF8.self).contains($0) }
            guard !hasConstant, let again = ReferenceJSON(written) else {
                return try Violation.unless(hasConstant, "what was written is no JSON")
            }
            try Violation.unless(again.root.kind == tree.root.kind && again.depth <= tree.depth, "another value")
        })
}
