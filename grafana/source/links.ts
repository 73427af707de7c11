// From a row of a table to another dashboard, about what the row is about.
export const NODE_UID = 'resource-node';

export const NODE =
  `/d/${NODE_UID}?var-datasource=\${datasource}&var-job=\${__data.fields.Job}` +
  '&var-instance=${__data.fields.Instance}&${__url_time_range}';
