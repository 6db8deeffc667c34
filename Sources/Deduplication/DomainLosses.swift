import Documents
import Storage
import Synchronization

/// What decontamination does to documents, by domain.
package final class DomainLosses: Sendable {
  package struct Domain: Sendable, Codable, Equatable {
    package var name: String
    package var documents = 0
    package var bytes = 0
    package var dropped = 0
    package var cut = 0
    /// Bytes of text of dropped documents and of what was cut out.
    package var removedBytes = 0
  }

  /// What the domain of a document is: `file`, or a member such as `source`; nil for `metadata.domain`, else the source, else the file.
  package let by: String?
  private let domains = Mutex<[String: Domain]>([:])
  private let names = Mutex<[Checksum128: String?]>([:])

  package init(by: String? = nil) { self.by = by }

  /// All domains: those that lost most first.
  package var sorted: [Domain] {
    domains.withLock { $0.values.sorted { ($1.removedBytes, $1.dropped, $0.name) < ($0.removedBytes, $0.dropped, $1.name) } }
  }

  /// Counts documents before anything happens to them.
  /// - Throws: `WeirError` for too many domains.
  func count(_ batch: [Document]) throws {
    var counts: [String: (documents: Int, bytes: Int)] = [:]
    for document in batch {
      let name = name(document)
      counts[name, default: (0, 0)].documents += 1
      counts[name, default: (0, 0)].bytes += document.text.count
    }
    try domains.withLock { domains in
      for (name, count) in counts {
        if let by, domains[name] == nil, domains.count >= Document.maximumDomains { throw Document.tooManyDomains(by: by) }
        domains[name, default: Domain(name: name)].documents += count.documents
        domains[name, default: Domain(name: name)].bytes += count.bytes
      }
    }
  }

  /// Adds losses; a document without `kept` was dropped.
  func add(_ losses: [(document: Document, kept: Document?)]) {
    if losses.isEmpty { return }
    domains.withLock { domains in
      for (document, kept) in losses {
        let name = name(document)
        if kept == nil {
          domains[name, default: Domain(name: name)].dropped += 1
        } else {
          domains[name, default: Domain(name: name)].cut += 1
        }
        domains[name, default: Domain(name: name)].removedBytes += document.text.count - (kept?.text.count ?? 0)
      }
    }
  }

  private func name(_ document: Document) -> String {
    switch by {
    case nil: label(document) ?? document.source ?? DecontaminationWorker.file(document.origin)
    case "file", "source": document.domain(by: by ?? "")
    default: label(document) ?? Document.noDomain
    }
  }

  /// The label in a document's members. Documents of a source often have the same members, so the last few are remembered.
  private func label(_ document: Document) -> String? {
    let members = document.members
    func read() -> String? { by.map { document.member($0) } ?? Document.label(members: members, source: nil) }
    if members.isEmpty { return nil }
    if members.count > 1_024 { return read() }
    let key = Checksum128(members)
    if let known = names.withLock({ $0[key] }) { return known }
    let name = read()
    names.withLock {
      if $0.count >= 1_024 { $0.removeAll(keepingCapacity: true) }
      $0[key] = .some(name)
    }
    return name
  }
}
