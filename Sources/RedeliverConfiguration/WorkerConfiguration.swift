package import DeliveryQueue
package import ProviderAPI

/// Everything that the operator configures, checked and complete, so no reader needs a default or a range.
///
/// `load(path:environment:)` makes it. `ConfigurationKeys` lists the keys with their defaults and ranges.
package struct WorkerConfiguration: Sendable, Equatable {
    /// How the provider is reached.
    package struct Provider: Sendable, Equatable {
        package var baseURL: BaseAddress
        package var credential: Credential
        /// Proxy and certificates on the way to it.
        package var path = NetworkPath.direct
        /// The deadline of one whole exchange, body included.
        package var requestTimeout: Duration
        /// The names of a log entry's fields, with the operator's overrides.
        package var fields: FieldNames
    }

    /// One webhook endpoint whose delivery log is read.
    package struct Endpoint: Sendable, Equatable {
        /// The provider's id, as its text.
        package var id: String
        /// For people and metrics; the id when the operator gave no name. Unique.
        package var name: String
        /// Sent with a retry whose log entry has no webhook id; nil for the endpoint's id.
        package var webhookID: String?

        package init(id: String, name: String, webhookID: String? = nil) {
            self.id = id
            self.name = name
            self.webhookID = webhookID
        }
    }

    /// The text file that node_exporter collects.
    package struct Metrics: Sendable, Equatable {
        /// Absolute path; ends in `.prom`.
        package var textfile: String
        package var interval: Duration
        /// The address at which the text is served over HTTP too; nil for none.
        package var listen: ListenAddress?
    }

    /// How the delivery logs are read.
    package struct Poll: Sendable, Equatable {
        /// From the beginning of one reading of an endpoint to the beginning of the next.
        package var interval: Duration
        /// How far back the log is read again every 5 minutes, for entries that appear late.
        package var overlap: Duration
        /// How far back the first reading of an endpoint goes.
        package var initialLookback: Duration
        /// Pages of logs that are asked for a minute, over all endpoints; nil: as many as are of use.
        package var requestsPerMinute: Int?

        /// The overlap is read again this often, so that a late entry is found soon.
        package static let overlapInterval = Duration.seconds(300)

        package var rereadsOverlap: Bool { overlap > .zero }

        /// The longest time between two polls: the overlap wants some that a long `interval` would not bring.
        package var longestPause: Duration { rereadsOverlap ? min(interval, Self.overlapInterval) : interval }
    }

    /// How a retry is proven.
    package struct Confirm: Sendable, Equatable {
        /// What proves that a retry arrived.
        package var by: RetryRules.Confirmation
        /// Replaces `Poll.interval` for an endpoint while one of its retries waits for proof.
        package var interval: Duration
        /// A retry that the log does not show within this time counts as failed; at least `interval`.
        package var within: Duration
    }

    /// The limits of retry calls, over all endpoints together.
    package struct Retry: Sendable, Equatable {
        /// Calls in flight at once.
        package var concurrency: Int
        /// Calls per second in the long run; may be a fraction.
        package var perSecond: Double
        /// Calls that may begin at once after a rest.
        package var burst: Int
        /// A call begins only so long after its endpoint's log was read; longer where reading it takes long.
        package var freshWithin: Duration
        /// How the body stands in a call.
        package var body = RetryRequest.BodyForm.json
    }

    package var provider: Provider
    /// At least one; ids and names are unique.
    package var endpoints: [Endpoint]
    /// Absolute path of the SQLite file.
    package var database: String
    /// What is kept free on its disk for the results of calls, in bytes; nil: a share of the file system.
    package var diskReserve: Int64?
    package var metrics: Metrics
    package var poll: Poll
    package var confirm: Confirm
    package var retry: Retry
    /// When an endpoint's deliveries are held because its receiver fails for all of them.
    package var circuit: CircuitSettings
    /// The operator's policies; when empty, the built-in one counts for every event type.
    package var policies: PolicyBook
    /// What works but should not stay so, such as a secret in a file that others may read. None shows a secret.
    package var cautions: [ConfigurationFault] = []
}

extension WorkerConfiguration {
    /// The longest that one retry call can take: the call, a token refresh, the call, a login, and the call again; and
    /// the waits until new tokens are valid.
    package var longestCall: Duration { provider.requestTimeout * 5 + ProviderClient.longestPatience }

    /// The queue's rules as the operator wants them. Everything that changes the queue takes them from here.
    package var rules: RetryRules {
        RetryRules(policies: policies, confirmation: confirm.by, confirmWithin: confirm.within, circuit: circuit)
    }
}
