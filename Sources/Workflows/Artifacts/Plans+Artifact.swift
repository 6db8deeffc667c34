import Planning
import Storage

// Planning stores nothing itself: it returns values that `weir plan` writes as JSON.

extension FitReport: Artifact {
  package static let format = "weir.plan-fit.1"
  package static let form = ArtifactForm.file
  package static func open(_ path: String) throws -> FitReport { try JSONFile.readSealed(FitReport.self, from: path) }
}

extension MixtureFit: Artifact {
  package static let format = "weir.mixture-fit.1"
  package static let form = ArtifactForm.file
  package static func open(_ path: String) throws -> MixtureFit { try JSONFile.readSealed(MixtureFit.self, from: path) }
}

extension Allocation: Artifact {
  package static let format = "weir.plan-allocation.1"
  package static let form = ArtifactForm.file
  package static func open(_ path: String) throws -> Allocation { try JSONFile.readSealed(Allocation.self, from: path) }
}
