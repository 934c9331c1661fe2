import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The running provider-sandbox and its ledger, which is the independent witness of arrivals.
struct Sandbox {
    /// The line that the sandbox prints when it is ready.
    struct Address: Decodable {
        let provider: String
        let endpoints: [String]
        let token: String
    }

    struct Ledger: Decodable {
        struct Summary: Decodable {
            let failedInitially: Int
            let arrived: Int
            let arrivedBytesMatch: Int
            let arrivedMoreThanOnce: Int
            let retryCalls: Int
            let signatureFailures: Int
        }

        let summary: Summary
    }

    let address: Address
    private let program: Program

    /// Starts the sandbox and waits for its line, at most 20 s.
    init(program url: URL, failures: Int, folder: DemoFolder) throws {
        let output = folder.url.appending(path: "sandbox.json")
        program = try Program.start(
            url,
            [
                "--failures", "\(failures)", "--endpoints", "2", "--spread", "20m", "--down", "1:0-15",
                "--refail", "12:2", "--seed", "2026",
            ],
            output: output, errors: folder.url.appending(path: "sandbox.log"))
        address = try Self.address(in: output, of: program)
    }

    private static func address(in output: URL, of program: Program) throws -> Address {
        let deadline = Date(timeIntervalSinceNow: 20)
        while Date.now < deadline, program.isRunning {
            if let data = try? Data(contentsOf: output), data.last == UInt8(ascii: "\n") {
                return try JSONDecoder().decode(Address.self, from: data)
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        program.stop()
        throw DemoError("provider-sandbox did not start")
    }

    func ledger() async throws -> Ledger {
        guard let url = URL(string: address.provider + "/_ledger?part=summary") else {
            throw DemoError("the sandbox printed no usable address")
        }
        let (data, _) = try await URLSession.shared.data(from: url)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Ledger.self, from: data)
    }

    func stop() {
        program.stop()
    }
}

/// Why the demo cannot go on.
struct DemoError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
