package import DeliveryQueue
package import ProviderAPI

/// Everything the worker is told by its operator, checked and complete: no reader of it needs a default or a range.
///
/// Made by `load(path:environment:)`. The keys, their units, defaults and ranges stand in `ConfigurationKeys`.
package struct WorkerConfiguration: Sendable, Equatable {
    /// How the provider is reached.
    package struct Provider: Sendable, Equatable {
        package var baseURL: BaseAddress
        package var credential: Credential
        /// What is on the way to it.
        package var path = NetworkPath.direct
        /// The deadline of one whole exchange, body included.
        package var requestTimeout: Duration
        /// The names under which a log entry's fields are looked for, with the operator's overrides.
        package var fields: FieldNames
    }

    /// One webhook endpoint whose delivery log is read.
    package struct Endpoint: Sendable, Equatable {
        /// The provider's id, as its text.
        package var id: String
        /// For people and metrics; the id where the operator gave no name. No two endpoints share one.
        package var name: String
        /// Sent with a retry whose log entry has no webhook id; nil means the endpoint's id.
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
        /// Where its text is served over HTTP too; nil: nowhere.
        package var listen: ListenAddress?
    }

    /// How the delivery logs are read.
    package struct Poll: Sendable, Equatable {
        /// From the beginning of one reading of an endpoint to the beginning of the next.
        package var interval: Duration
        /// How far before the newest entry that was read the next reading begins, for entries that appear late.
        package var overlap: Duration
        /// How far back the first reading of an endpoint goes.
        package var initialLookback: Duration
    }

    /// How a retry is proven.
    package struct Confirm: Sendable, Equatable {
        /// What counts as the proof that a retry arrived.
        package var by: RetryRules.Confirmation
        /// Takes the place of `Poll.interval` for an endpoint while one of its retries waits for its proof.
        package var interval: Duration
        /// The log's silence after which a retry counts as failed; never shorter than `interval`.
        package var within: Duration
    }

    /// How hard the provider's retry call is used, over all endpoints.
    package struct Retry: Sendable, Equatable {
        /// Calls in flight at once.
        package var concurrency: Int
        /// Calls per second in the long run; may be a fraction.
        package var perSecond: Double
        /// Calls that may follow each other at once after a rest.
        package var burst: Int
    }

    package var provider: Provider
    /// At least one; ids and names are unique.
    package var endpoints: [Endpoint]
    /// Absolute path of the SQLite file.
    package var database: String
    package var metrics: Metrics
    package var poll: Poll
    package var confirm: Confirm
    package var retry: Retry
    /// What holds an endpoint's deliveries while its receiver fails for all of them.
    package var circuit: CircuitSettings
    /// The operator's policies; empty means that the built-in default is used for every event type.
    package var policies: PolicyBook
}

extension WorkerConfiguration {
    /// The longest that one retry call can take: the call, a token refresh, a login, and the call again.
    package var longestCall: Duration { provider.requestTimeout * 4 }

    /// The queue's rules as the operator wants them. Everything that changes the queue takes them from here.
    package var rules: RetryRules {
        RetryRules(policies: policies, confirmation: confirm.by, confirmWithin: confirm.within, circuit: circuit)
    }
}
