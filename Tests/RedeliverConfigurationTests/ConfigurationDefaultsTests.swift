import DeliveryQueue
import Foundation
import HostileInput
import ProviderAPI
import Testing

@testable import RedeliverConfiguration

@Suite struct ConfigurationDefaultsTests {
    @Test func `every key but the four required ones has its default`() throws {
        let configuration = try ConfigurationSample(endpoints: "[{id: e-1}]").read()

        #expect(configuration.provider.baseURL == "https://eu.amani.ai")
        #expect(configuration.provider.credential == .token(Secret("t0k3n-for-tests")))
        #expect(configuration.provider.requestTimeout == .seconds(30))
        #expect(configuration.provider.fields == .standard)
        #expect(configuration.endpoints == [.init(id: "e-1", name: "e-1", webhookID: nil)])
        #expect(configuration.database == "/var/lib/redeliver/redeliver.db")
        #expect(configuration.metrics == .init(textfile: "/var/lib/redeliver/redeliver.prom", interval: .seconds(15)))
        #expect(
            configuration.poll
                == .init(interval: .seconds(60), overlap: .seconds(900), initialLookback: .seconds(72 * 3_600)))
        #expect(configuration.confirm == .init(by: .log, interval: .seconds(15), within: .seconds(600)))
        #expect(configuration.retry == .init(concurrency: 16, perSecond: 10, burst: 20, freshWithin: .seconds(5)))
        #expect(configuration.policies == PolicyBook())
    }

    @Test func `a policy that only names its events is the built-in policy`() throws {
        let sample = ConfigurationSample(lines: ["policies: [{events: document_upload}]"])
        let policies = try sample.read().policies
        #expect(policies == PolicyBook(entries: [.init(events: ["document_upload"], policy: .standard)]))
    }

    @Test func `sections and lists may be left empty`() throws {
        let sample = ConfigurationSample(lines: ["metrics:", "poll: ~", "confirm: {}", "retry: null", "policies:"])
        #expect(try sample.read() == ConfigurationSample().read())
    }

    @Test func `the example configuration loads and says the defaults`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let example = root.appending(path: "deploy/redeliver.example.yaml")

        let configuration = try WorkerConfiguration.load(
            path: example.path, environment: ["REDELIVER_TOKEN": "from-the-environment"])

        let standard = try ConfigurationSample().read()
        #expect(configuration.provider.credential == .token(Secret("from-the-environment")))
        #expect(configuration.provider.requestTimeout == standard.provider.requestTimeout)
        #expect(configuration.provider.fields == standard.provider.fields)
        #expect(configuration.database == standard.database)
        #expect(configuration.poll == standard.poll)
        #expect(configuration.confirm == standard.confirm)
        #expect(configuration.retry == standard.retry)
        #expect(configuration.metrics.interval == standard.metrics.interval)
        #expect(configuration.policies.policy(for: "document_upload").policy == .standard)
        #expect(configuration.policies.policy(for: "video_call_status_change").policy.maxAttempts == 5)
        let text = try String(contentsOf: example, encoding: .utf8)
        for key in ConfigurationKeyTable.paths {
            let name = key.split(separator: ".").last.map(String.init) ?? key
            #expect(text.contains("\(name):"), "the example lacks \(key)")
        }
    }

    @Test func `all values arrive where they belong`() throws {
        let sample = ConfigurationSample(
            baseURL: "https://kyc.example.com/amani/",
            provider: ["request_timeout: 5s", "log_fields: {task_id: uuid, body: [raw, payload], next: paging.next}"],
            endpoints: "[{id: 12, name: crm, webhook_id: w-9}, {id: 0b1}]",
            database: "data/queue.db",
            lines: [
                "metrics: {textfile: ../metrics/r.prom, interval: 1m}",
                "poll: {interval: 2s, overlap: 1h, initial_lookback: 7d}",
                "confirm: {by: answer, interval: 1s, within: 30s}",
                "retry: {concurrency: 3, per_second: 0.5, burst: 7}",
            ])
        let configuration = try sample.read()

        #expect(configuration.provider.baseURL == "https://kyc.example.com/amani")
        #expect(configuration.provider.requestTimeout == .seconds(5))
        var fields = FieldNames.standard
        (fields.taskID, fields.body, fields.next) = (["uuid"], ["raw", "payload"], ["paging.next"])
        #expect(configuration.provider.fields == fields)
        #expect(configuration.endpoints[0] == .init(id: "12", name: "crm", webhookID: "w-9"))
        #expect(configuration.endpoints[1] == .init(id: "0b1", name: "0b1", webhookID: nil))
        #expect(configuration.database == "/etc/redeliver/data/queue.db")
        #expect(configuration.metrics == .init(textfile: "/etc/metrics/r.prom", interval: .seconds(60)))
        #expect(
            configuration.poll
                == .init(interval: .seconds(2), overlap: .seconds(3_600), initialLookback: .seconds(7 * 86_400)))
        #expect(configuration.confirm == .init(by: .answer, interval: .seconds(1), within: .seconds(30)))
        #expect(configuration.retry == .init(concurrency: 3, perSecond: 0.5, burst: 7, freshWithin: .seconds(5)))
    }

    @Test(
        arguments: [
            ("task_id", \FieldNames.taskID), ("event_type", \.eventType), ("customer_id", \.customerID),
            ("webhook_id", \.webhookID), ("body", \.body), ("outcome", \.outcome), ("time", \.time), ("error", \.error),
            ("entries", \.entries), ("next", \.next),
        ] as [(String, any KeyPath<FieldNames, [String]> & Sendable)])
    func `each log field can be named anew`(key: String, names: any KeyPath<FieldNames, [String]> & Sendable) throws {
        let fields = try ConfigurationSample.with("provider.log_fields.\(key)", "[alpha, beta]").read().provider.fields
        #expect(fields[keyPath: names] == ["alpha", "beta"])
        let pairs = zip(Mirror(reflecting: fields).children, Mirror(reflecting: FieldNames.standard).children)
        let changed = pairs.filter { ($0.value as? [String]) != ($1.value as? [String]) }.count
        #expect(changed == 1)
    }

    @Test func `a relative path of the configuration itself starts at the current folder`() throws {
        let configuration = try WorkerConfiguration.read(
            yaml: ConfigurationSample(database: "../q.db").yaml, path: "etc/./redeliver.yaml", environment: [:])
        let current = URL(filePath: FileManager.default.currentDirectoryPath).standardizedFileURL.path
        #expect(configuration.database == "\(current)/q.db")
    }

    @Test func `a relative textfile without a folder lies beside the configuration`() throws {
        let configuration = try ConfigurationSample(database: "queue.db").read()
        #expect(configuration.database == "/etc/redeliver/queue.db")
        #expect(configuration.metrics.textfile == "/etc/redeliver/redeliver.prom")
    }
}
