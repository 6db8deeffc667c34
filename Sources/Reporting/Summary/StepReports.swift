import Filtering
import Foundation
import Primitives
import Storage
import Workflows

/// The states of a recipe's steps, with their reports.
package struct StepReports {
  package let recipe: Recipe
  /// The steps that have run, in the order of the recipe.
  package let states: [(step: Recipe.Step, state: StepState)]

  /// The run's folder, as given.
  private let folder: String

  package init(run: String) throws {
    let folder = RecipeFolder(run), path = folder.recipe
    self.folder = folder.path
    guard Files.exists(path) else {
      throw WeirError(run, "is not the folder of a recipe run (no recipe.json)", remedy: "name a folder written by `weir run`")
    }
    let recipe = try JSONFile.read(Recipe.self, from: path)
    self.recipe = recipe
    states = try recipe.steps.compactMap { step in
      let path = folder.state(of: step.name)
      guard Files.exists(path) else { return nil }
      try ChecksumList.check(path)
      return StepState.read(path).map { (step, $0) }
    }
  }

  /// A part of the recipe's `summary`, with the run folder filled in.
  func mapping(_ section: String) -> [String: String] {
    (recipe.summary?[section] ?? [:]).mapValues { $0.replacingOccurrences(of: "{run}", with: recipe.run) }
  }

  /// The file or folder that a member of `summary.data` names; nil without the member, and where a step that has yet to run writes it.
  /// - Throws: `WeirError` where there is no such file or folder.
  func path(_ member: String) throws -> String? {
    guard let value = recipe.summary?["data"]?[member] else { return nil }
    let path = value.replacingOccurrences(of: "{run}", with: recipe.run)
    // The run's folder may have been moved, and the working directory need not be that of `weir run`.
    let places = [value.replacingOccurrences(of: "{run}", with: folder), located(path)]
    if let found = places.first(where: Files.exists) { return found }
    let isPending = recipe.steps.contains { step in
      let words = (try? recipe.commands(of: step, path: folder))?.flatMap(\.self) ?? []
      return words.contains(path) && !states.contains { $0.step.name == step.name }
    }
    if isPending { return nil }
    throw WeirError(
      RecipeFolder(folder).recipe, "summary.data.\(member) is \"\(path)\", which does not exist",
      remedy: "correct the recipe; a relative path starts at the folder where `weir run` was started")
  }

  /// A path of the recipe from here: relative paths start at the folder where `weir run` was started, which the place of the run's folder tells.
  func located(_ path: String) -> String {
    let parts = recipe.run.split(separator: "/").filter { $0 != "." }.map(String.init)
    let here = URL(fileURLWithPath: folder).standardizedFileURL.pathComponents
    guard !path.hasPrefix("/"), !recipe.run.hasPrefix("/"), here.suffix(parts.count).elementsEqual(parts) else { return path }
    let start = URL(fileURLWithPath: "/" + here.dropFirst().dropLast(parts.count).joined(separator: "/")).appendingPathComponent(path).path
    return Files.exists(start) ? start : path
  }

  /// The report of a step as the type that its command writes; nil if the step has not run or writes another type.
  func decode<Report: Decodable>(_ type: Report.Type, step name: String?) -> Report? {
    guard let name, let state = states.first(where: { $0.step.name == name })?.state, let bytes = try? JSONFile.encode(state.report) else {
      return nil
    }
    return try? JSONFile.decode(type, from: bytes, place: name)
  }

  /// The losses of all filters, in the order of the steps.
  var filters: [FilterReport] {
    states.flatMap { _, state -> [FilterReport] in
      guard let value = state.report["filters"], let bytes = try? JSONFile.encode(value) else { return [] }
      return (try? JSONFile.decode([FilterReport].self, from: bytes, place: "filters")) ?? []
    }
  }

  /// The step that made a model; the model is a run folder, or a model folder or checkpoint in one.
  func maker(of model: String) -> String? {
    let model = URL(fileURLWithPath: model).standardizedFileURL.pathComponents
    return states.first { _, state in
      state.outputs.keys.contains { output in
        let output = URL(fileURLWithPath: output).standardizedFileURL
        guard ["model", "split.json"].contains(output.lastPathComponent) else { return false }
        return model.starts(with: output.deletingLastPathComponent().pathComponents)
      }
    }?.step.name
  }
}
