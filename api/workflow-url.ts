import type { Client } from '@temporalio/client';
import type { WorkflowUrl } from '../src/db/queries/jobs.ts';

/** Where a workflow is shown in the Temporal Web UI. */
export function workflowUrl({
  temporal,
  temporalUiUrl,
}: {
  readonly temporal: Client;
  readonly temporalUiUrl: string | undefined;
}): WorkflowUrl {
  if (!temporalUiUrl) return () => null;
  const base = `${temporalUiUrl.replace(/\/$/, '')}/namespaces/${encodeURIComponent(temporal.options.namespace)}/workflows`;
  return (workflowId) => `${base}/${encodeURIComponent(workflowId)}`;
}
