import ProviderAPI
import RedeliverConfiguration

extension WorkerConfiguration {
    /// The defaults of every key; neither its secret nor its files are there.
    static func sample(_ extra: String = "") throws -> WorkerConfiguration {
        try read(
            yaml: """
                provider: {base_url: "https://provider.example", auth: {token_file: not-here}}
                endpoints: [{id: e-1}]
                database: not-here.db
                \(extra)
                """,
            path: "/not-here/redeliver.yaml", environment: [:], credential: .token(Secret("simulated")))
    }
}
